// The steps of one replica's keeper, each of which may be its last.
#include "core/cluster/replica_keeper.h"

#include "core/log/replica_words.h"
#include "tests/support/printing.h"
#include "tests/support/test_cluster.h"

using namespace pg;

namespace {

// A replica on its disk, with something happening in the middle of a step.
class Watched final : public ReplicaLog {
 public:
  Watched(TestCluster& cluster, int32_t broker)
      : real_(cluster.client(), cluster.topic(), PartitionId(0), BrokerId(broker)) {}

  Result<StatePage*> page() override { return real_.page(); }
  Result<EpochHistory> epochs() override { return real_.epochs(); }
  Result<std::optional<ScannedBatch>> read(Offset from, Offset end) override {
    auto batch = real_.read(from, end);
    if (after_read) after_read();
    return batch;
  }
  void wake_committed() override { real_.wake_committed(); }
  void fence(LeaderEpoch epoch) override { real_.fence(epoch); }
  Result<> follow(LeaderEpoch epoch) override { return real_.follow(epoch); }
  Result<> truncate_to(Offset end, bool committed_too) override {
    if (before_cut) before_cut();
    return real_.truncate_to(end, committed_too);
  }
  Result<> restart_at(Offset start) override { return real_.restart_at(start); }
  Result<> append(const ScannedBatch& batch, LeaderEpoch epoch) override { return real_.append(batch, epoch); }
  Result<> lead(const Leadership& leadership) override { return real_.lead(leadership); }
  Result<> raise_log_start(Offset offset) override { return real_.raise_log_start(offset); }
  Result<> flush() override { return real_.flush(); }

  StatePage& words() { return **real_.page(); }
  Offset end() { return read_position(words()).log_end; }
  // Becomes what `letters` say, as a follower.
  void fill(std::string_view letters) {
    must(follow(epoch_of(letters.back())));
    for (const char letter : letters) {
      TestBatch batch({std::string(1, letter)});
      const MutableBytes bytes = batch.bytes();
      stamp_batch(bytes, end(), epoch_of(letter));
      must(append({read_batch_header(bytes), 0, bytes}, epoch_of(letters.back())));
    }
  }
  void write(std::string_view letters) {
    for (const char letter : letters) pg::append(*real_.log(), {std::string(1, letter)});
  }

  std::function<void()> after_read, before_cut;

 private:
  DiskReplica real_;
};

// Broker 0 leads, broker 1 follows; nobody but the test does anything.
struct Pair {
  Pair() : leader(prepared(cluster), 0), follower(cluster, 1), keeper(BrokerId(1), follower) {}

  // With the topic. Of the brokers only 0 lives, which an append needs to see.
  static TestCluster& prepared(TestCluster& cluster) {
    for (const int32_t broker : {1, 2}) cluster.kill(broker);
    must(cluster.client().create_topic(cluster.topic_name(), 1, {}, cluster.env.soon(), 3));
    return cluster;
  }
  // Broker 0 leads in the epoch of `letter`.
  void lead(char letter) {
    metadata.leader_epoch = epoch_of(letter);
    must(leader.lead({metadata.leader_epoch, BrokerId(0), metadata.replicas, metadata.in_sync, 1}));
  }
  Result<bool> step() { return keeper.step(metadata, 1, {&leader, nullptr}); }
  void step_to_the_end() {
    while (must(step())) {
    }
  }
  std::string text() { return cluster.text(1); }
  const StatePage::ReplicaSlot& slot() { return leader.words().slots[1]; }

  TestCluster cluster;
  Watched leader, follower;
  ReplicaKeeper keeper;
  PartitionMetadata metadata{
      {BrokerId(0), BrokerId(1), BrokerId(2)}, BrokerId(0), LeaderEpoch(0), {BrokerId(0), BrokerId(1)}};
};

}  // namespace

TEST_CASE("replica_keeper: it waits until the leader has opened the epoch that the metadata names") {
  Pair t;
  CHECK_FALSE(must(t.step()));
  t.lead('b');
  t.metadata.leader_epoch = LeaderEpoch(2);
  CHECK_FALSE(must(t.step()));
  t.metadata.leader_epoch = LeaderEpoch(0);
  CHECK_FALSE(must(t.step()));
  t.metadata.leader_epoch = LeaderEpoch(1);
  t.leader.fence(LeaderEpoch(2));
  CHECK_FALSE(must(t.step()));
  CHECK(t.follower.words().leader_epoch == -1);
}

TEST_CASE("replica_keeper: it finds where the logs part, says what it has, and then copies") {
  Pair t;
  t.leader.fill("ab");
  t.follower.fill("aa");
  t.lead('c');
  t.leader.write("cc");
  CHECK(must(t.step()));
  CHECK(t.text() == "a");
  CHECK(t.keeper.aligned() == LeaderEpoch(2));
  CHECK(t.slot().epoch == 2);
  CHECK(t.slot().log_end == 1);
  CHECK(must(t.step()));
  CHECK(t.text() == "abcc");
  CHECK(t.slot().log_end == 4);
  CHECK_FALSE(must(t.step()));
}

TEST_CASE("replica_keeper: what it knows as committed is no more than it has") {
  Pair t;
  t.lead('a');
  t.leader.write("aaa");
  must(t.step());
  t.leader.words().high_watermark = 3;
  t.follower.fill("aa");
  must(t.step());
  CHECK(t.follower.words().high_watermark == 3);
  t.leader.words().high_watermark = 30;
  must(t.step());
  CHECK(t.follower.words().high_watermark == 3);
}

TEST_CASE("replica_keeper: what was read from one that is no leader any more is not appended") {
  Pair t;
  t.lead('a');
  t.leader.write("aa");
  must(t.step());
  t.leader.after_read = [&] { t.leader.fence(LeaderEpoch(1)); };
  CHECK(must(t.step()));
  CHECK(t.text() == "");
  CHECK_FALSE(t.keeper.aligned());
  CHECK_FALSE(must(t.step()));
}

TEST_CASE("replica_keeper: it stores the new epoch before it cuts anything") {
  Pair t;
  t.leader.fill("ab");
  t.follower.fill("aaa");
  t.lead('c');
  int cuts = 0;
  t.follower.before_cut = [&] {
    ++cuts;
    CHECK(t.follower.words().leader_epoch == 2);
    CHECK(t.follower.words().fenced == 2);
  };
  must(t.step());
  CHECK(cuts == 1);
}

TEST_CASE(
    "replica_keeper: committed records are cut only if a leader of a lossy epoch was elected since it followed last") {
  for (const int32_t lossy : {-1, 0, 1, 2}) {
    CAPTURE(lossy);
    Pair t;
    t.leader.fill("ab");
    t.follower.fill("aaa");
    t.follower.words().high_watermark = 2;
    t.lead('c');
    t.metadata.lossy_epoch = LeaderEpoch(lossy);
    const auto stepped = t.step();
    if (lossy <= 0) {
      CHECK(code_of(stepped) == Errc::conflict);
      CHECK(t.text() == "aaa");
    } else {
      must(stepped);
      CHECK(t.text() == "a");
    }
  }
}

TEST_CASE("replica_keeper: one that may lack something follows only once it is out of sync") {
  for (const bool damaged : {false, true}) {
    Pair t;
    t.lead('a');
    t.leader.write("aa");
    t.follower.fill("a");
    (damaged ? t.follower.words().damaged : t.follower.words().unclean) = 1;
    CHECK_FALSE(must(t.step()));
    CHECK(t.slot().epoch == -1);
    t.metadata.in_sync = {BrokerId(0)};
    CHECK(must(t.step()));
    CHECK(t.text() == (damaged ? "" : "a"));
    CHECK(must(t.step()));
    CHECK(t.text() == "aa");
    CHECK(t.follower.words().unclean == 0);
    CHECK(t.follower.words().damaged == 0);
  }
}

TEST_CASE("replica_keeper: one that becomes damaged while it follows is emptied and filled again") {
  Pair t;
  t.lead('a');
  t.leader.write("aa");
  t.step_to_the_end();
  t.metadata.in_sync = {BrokerId(0)};
  t.follower.words().damaged = 1;
  CHECK(must(t.step()));
  CHECK(t.slot().log_end == 0);
  CHECK(must(t.step()));
  CHECK(t.text() == "aa");
}

TEST_CASE("replica_keeper: whoever wants records on every disk makes it flush, and it says so") {
  Pair t;
  t.lead('a');
  t.leader.write("aaa");
  t.step_to_the_end();
  CHECK(t.slot().flushed == 0);
  t.leader.words().flush_wanted = 2;
  CHECK(must(t.step()));
  CHECK(t.slot().flushed == 3);
  CHECK_FALSE(must(t.step()));
  // Somebody else's flush counts too, and more than it has is not waited for.
  t.leader.words().flush_wanted = 10;
  t.leader.write("a");
  CHECK(must(t.step()));
  CHECK(t.slot().flushed == 4);
  CHECK_FALSE(must(t.step()));
}

TEST_CASE("replica_keeper: a replica that is to be emptied takes back what it has told") {
  Pair t;
  t.lead('a');
  t.leader.write("aa");
  t.step_to_the_end();
  must(t.keeper.withdraw(t.metadata, t.leader));
  CHECK(t.slot().epoch == -1);
  CHECK_FALSE(t.keeper.aligned());
}

TEST_CASE("replica_keeper: who leads opens its epoch once, and then only takes over min.insync.replicas") {
  Pair t;
  ReplicaKeeper keeper(BrokerId(0), t.leader);
  CHECK(must(keeper.step(t.metadata, 1, {})));
  CHECK(leads_in(t.leader.words(), LeaderEpoch(0)));
  CHECK_FALSE(must(keeper.step(t.metadata, 2, {})));
  CHECK(t.leader.words().min_in_sync == 2);
  // One that led in this epoch and lost its state, or was fenced, waits for the next.
  t.leader.words().role = static_cast<uint32_t>(Role::follower);
  CHECK_FALSE(must(keeper.step(t.metadata, 2, {})));
  t.leader.fence(LeaderEpoch(5));
  t.metadata.leader_epoch = LeaderEpoch(4);
  CHECK_FALSE(must(keeper.step(t.metadata, 2, {})));
  t.metadata.leader_epoch = LeaderEpoch(5);
  CHECK(must(keeper.step(t.metadata, 2, {})));
}

TEST_CASE(
    "replica_keeper: one that has lost records since its election does not lead, unless the election allowed for "
    "that") {
  Pair t;
  ReplicaKeeper keeper(BrokerId(0), t.leader);
  t.leader.words().damaged = 1;
  CHECK_FALSE(must(keeper.step(t.metadata, 1, {})));
  t.metadata.lossy_epoch = t.metadata.leader_epoch;
  CHECK_FALSE(must(keeper.step(t.metadata, 1, {})));  // damage is never allowed for
  t.leader.words().damaged = 0;
  t.leader.words().unclean = 1;
  t.metadata.lossy_epoch = LeaderEpoch(-1);
  CHECK_FALSE(must(keeper.step(t.metadata, 1, {})));
  CHECK_FALSE(leads_in(t.leader.words(), t.metadata.leader_epoch));
  t.metadata.lossy_epoch = t.metadata.leader_epoch;
  CHECK(must(keeper.step(t.metadata, 1, {})));
}

TEST_CASE("replica_keeper: a new leader copies what the one before had, if that one is fenced and lacks nothing") {
  struct Row {
    const char* what;
    const char *previous, *mine;
    bool fenced;
    const char* result;
    bool unclean = false;
    int64_t committed = 0;  // as this one knows
  };
  const Row rows[] = {
      {"the previous leader has more", "aab", "aa", true, "aab"},
      {"it has the same", "aab", "aab", true, "aab"},
      {"it has less", "aa", "aab", true, "aab"},
      {"it is not fenced", "aab", "aa", false, "aa"},
      {"their logs part, and this one has the later epoch", "aabb", "aac", true, "aac"},
      {"their logs part, and the previous leader has the later epoch", "aabbd", "aac", true, "aabbd"},
      {"the same, but it may lack something", "aabbd", "aac", true, "aac", true},
      {"the same, but what parts is committed here", "aabbd", "aac", true, "aac", false, 3},
      {"the new leader has nothing", "aab", "", true, "aab"},
      {"the previous one has nothing", "", "aab", true, "aab"},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.what));
    Pair t;
    if (*row.previous != '\0') t.leader.fill(row.previous);
    if (*row.mine != '\0') t.follower.fill(row.mine);
    t.metadata.leader = BrokerId(1);
    t.metadata.previous_leader = BrokerId(0);
    t.metadata.leader_epoch = LeaderEpoch(6);
    t.leader.words().unclean = row.unclean ? 1 : 0;
    t.follower.words().high_watermark = row.committed;
    t.leader.fence(LeaderEpoch(row.fenced ? 6 : 5));
    CHECK(must(t.keeper.step(t.metadata, 1, {nullptr, &t.leader})));
    CHECK(t.text() == row.result);
    CHECK(leads_in(t.follower.words(), LeaderEpoch(6)));
  }
}

TEST_CASE("replica_keeper: a follower goes where its leader's log begins") {
  Pair t;
  t.lead('a');
  t.leader.write("aaaaaa");
  t.metadata.in_sync = {BrokerId(0)};
  REQUIRE(change_in_sync(t.leader.words(), InSync::unpack(t.leader.words().in_sync), 1));
  t.leader.words().high_watermark = 6;
  must(t.cluster.open(0)->raise_log_start(Offset(4), t.cluster.env.soon()));
  t.follower.fill("aa");
  CHECK(must(t.step()));
  CHECK(read_position(t.follower.words()).log_start == Offset(4));
  CHECK(must(t.step()));
  CHECK(t.text() == "aa");
  // And follows it up.
  must(t.cluster.open(0)->raise_log_start(Offset(5), t.cluster.env.soon()));
  (void)must(t.step());
  CHECK(read_position(t.follower.words()).log_start == Offset(5));
}

TEST_CASE("replica_keeper: a log without an epoch of its leader's begins again where that begins") {
  struct Row {
    std::string_view own;  // what the follower has
    int64_t own_start;
    std::string_view leaders;
    int64_t leaders_start;
    std::string_view result;
  };
  const Row rows[] = {{"", 2, "ab", 0, "abdd"},    {"c", 2, "ab", 0, "abdd"}, {"cc", 2, "ab", 1, "bdd"},
                      {"cc", 0, "ab", 2, "dd"},    {"ccc", 0, "ab", 2, "dd"}, {"c", 0, "ab", 2, "dd"},
                      {"ccc", 0, "ab", 0, "abdd"}, {"", 0, "ab", 0, "abdd"},  {"ccc", 1, "ab", 1, "bdd"}};
  for (const Row& row : rows) {
    CAPTURE(row.own);
    CAPTURE(row.own_start);
    CAPTURE(row.leaders_start);
    Pair t;
    t.leader.fill(row.leaders);
    t.metadata.in_sync = {BrokerId(0)};
    t.lead('d');
    t.leader.write("dd");
    t.leader.words().high_watermark = 2;
    must(t.leader.raise_log_start(Offset(row.leaders_start)));
    must(t.follower.restart_at(Offset(row.own_start)));
    if (!row.own.empty()) t.follower.fill(row.own);
    t.step_to_the_end();
    CHECK(read_position(t.follower.words()).log_start == Offset(row.leaders_start));
    CHECK(t.text() == row.result);
    // Nothing is left of a history that is not the leader's.
    const EpochHistory epochs = must(t.follower.epochs());
    CHECK(std::none_of(epochs.begin(), epochs.end(),
                       [](const EpochStart& entry) { return entry.epoch == epoch_of('c'); }));
    CHECK(t.follower.words().unclean == 0);
  }
}

TEST_CASE(
    "replica_keeper: a log that shares its first records with its leader's keeps its start, also where the leader's is "
    "lower") {
  Pair t;
  t.leader.fill("aaab");
  t.lead('d');
  must(t.follower.restart_at(Offset(2)));
  t.follower.fill("ab");
  t.metadata.in_sync = {BrokerId(0)};
  t.step_to_the_end();
  CHECK(read_position(t.follower.words()).log_start == Offset(2));
  CHECK(t.text() == "ab");
}

// Whoever elected may not have reached its page: its disk may have failed just then.
TEST_CASE("replica_keeper: a leader of before that learns of an election from the metadata takes no more records") {
  Pair t;
  t.lead('a');
  t.leader.write("a");
  ReplicaKeeper keeper(BrokerId(0), t.leader);
  t.metadata.leader = BrokerId(1);
  t.metadata.leader_epoch = LeaderEpoch(1);
  CHECK_FALSE(must(keeper.step(t.metadata, 1, {&t.follower, nullptr})));
  CHECK(t.leader.words().fenced == 1);
  CHECK(code_of(try_append(*t.cluster.open(0), {"a"})) == Errc::fenced);
}
