#include "tools/pg-consume/delivery.h"

#include <algorithm>

#include "tests/support/manual_clock.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

using Attempt = Delivery::Attempt;
using Verdict = Delivery::Verdict;
constexpr auto kPartition = DeliveryOrder::partition;
constexpr auto kKey = DeliveryOrder::key;
constexpr auto kNone = DeliveryOrder::none;

const TopicPartition kP0{"t", PartitionId(0)};
const TopicPartition kP1{"t", PartitionId(1)};

struct Driver {
  explicit Driver(DeliveryOptions options) : delivery(options, random) {}

  void add(const TopicPartition& partition, int64_t offset, std::optional<std::string_view> key = {},
           std::string_view value = "v") {
    ConsumedRecord record;
    record.source = &partition;
    record.offset = Offset(offset);
    record.key = key;
    record.value = value;
    delivery.add(OwnedRecord(record), LeaderEpoch(7));
  }
  // Starts what may start: "0@1,2" is a job with offsets 1 and 2 of partition 0.
  std::string start_all() {
    std::string text;
    while (const DeliveryJob* job = delivery.start(clock.now())) {
      std::string name = std::to_string(job->partition.partition.value) + "@";
      for (const auto& record : job->records) {
        name += (name.back() == '@' ? "" : ",") + std::to_string(record.offset().value);
      }
      ids[name] = job->id;
      text += (text.empty() ? "" : " ") + name;
    }
    return text;
  }
  Verdict end(const std::string& job, Attempt attempt = Attempt::succeeded) {
    return delivery.ended(ids.at(job), attempt, clock.now());
  }
  int64_t committable(const TopicPartition& partition = kP0) const {
    const auto position = delivery.committable(partition);
    return position ? position->offset.value : -1;
  }

  ManualClock clock;
  SeededRandom random;
  Delivery delivery;
  std::map<std::string, uint64_t> ids;
};

}  // namespace

TEST_CASE("delivery: what may run at once, by order and workers") {
  struct Row {
    const char* what;
    DeliveryOrder order;
    size_t workers;
    size_t batch;
    const char* first;   // started at once
    const char* ended;   // then this one ends
    const char* second;  // and these start
  };
  // Partition 0 has the offsets 0 to 4 with the keys a, a, b, none, none; partition 1 has 0 and 1 with a, a.
  const Row rows[] = {
      {"one worker, one command", kPartition, 1, 1, "0@0", "0@0", "1@0"},
      {"a partition has one command at a time", kPartition, 8, 1, "0@0 1@0", "0@0", "0@1"},
      {"a key has one at a time, and all records without a key together", kKey, 8, 1, "0@0 1@0 0@2 0@3", "0@0", "0@1"},
      {"those without a key follow one another", kKey, 8, 1, "0@0 1@0 0@2 0@3", "0@3", "0@4"},
      {"no order", kNone, 8, 1, "0@0 1@0 0@1 1@1 0@2 0@3 0@4", "0@0", ""},
      {"workers bound everything", kNone, 3, 1, "0@0 1@0 0@1", "1@0", "1@1"},
      {"batches are of one partition", kPartition, 8, 3, "0@0,1,2 1@0,1", "0@0,1,2", "0@3,4"},
      {"a batch may have a key more than once, in order", kKey, 8, 2, "0@0,1 1@0,1 0@2,3", "0@2,3", "0@4"},
      {"batches without order", kNone, 8, 2, "0@0,1 1@0,1 0@2,3 0@4", "0@0,1", ""},
      {"a batch is as large as there are records", kPartition, 1, 100, "0@0,1,2,3,4", "0@0,1,2,3,4", "1@0,1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Driver d({.order = row.order, .workers = row.workers, .batch_records = row.batch});
    d.add(kP0, 0, "a");
    d.add(kP0, 1, "a");
    d.add(kP1, 0, "a");
    d.add(kP1, 1, "a");
    d.add(kP0, 2, "b");
    d.add(kP0, 3);
    d.add(kP0, 4);
    CHECK(d.start_all() == row.first);
    CHECK(d.end(row.ended) == Verdict::finished);
    CHECK(d.start_all() == row.second);
  }
}

TEST_CASE("delivery: how a command ended, and what follows") {
  struct Row {
    const char* what;
    int64_t attempts_max;
    bool dead_letters;
    std::vector<Attempt> attempts;
    std::vector<Verdict> verdicts;
    bool stopped;
    int64_t committable;
  };
  constexpr auto kOk = Attempt::succeeded, kBad = Attempt::failed, kImpossible = Attempt::impossible;
  const Row rows[] = {
      {"success", 1, false, {kOk}, {Verdict::finished}, false, 11},
      {"one attempt is the last", 1, false, {kBad}, {Verdict::gave_up}, true, -1},
      {"a second attempt succeeds", 2, false, {kBad, kOk}, {Verdict::retry, Verdict::finished}, false, 11},
      {"attempts are used up",
       3,
       false,
       {kBad, kBad, kBad},
       {Verdict::retry, Verdict::retry, Verdict::gave_up},
       true,
       -1},
      {"then there may be another place for it",
       2,
       true,
       {kBad, kBad},
       {Verdict::retry, Verdict::dead_letter},
       false,
       11},
      {"what can never succeed is not tried again", 3, false, {kImpossible}, {Verdict::gave_up}, true, -1},
      {"nor put away", 3, true, {kBad, kImpossible}, {Verdict::retry, Verdict::gave_up}, true, -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Driver d({.attempts_max = row.attempts_max, .dead_letters = row.dead_letters});
    d.add(kP0, 10);
    for (size_t i = 0; i < row.attempts.size(); ++i) {
      CHECK(d.start_all() == "0@10");
      CHECK(d.delivery.job(d.ids["0@10"]).attempt == static_cast<int64_t>(i) + 1);
      CHECK(d.end("0@10", row.attempts[i]) == row.verdicts[i]);
      if (row.verdicts[i] == Verdict::dead_letter) d.delivery.dead_lettered(d.ids["0@10"]);
      d.clock.advance(1h);
    }
    CHECK(d.delivery.stopped() == row.stopped);
    CHECK(d.committable() == row.committable);
    d.add(kP0, 11);
    CHECK(d.start_all() == (row.stopped ? "" : "0@11"));
  }
}

TEST_CASE("delivery: a retry waits, longer each time, keeps its lane and no worker, and comes before what is new") {
  Driver d({.order = kKey, .workers = 1, .attempts_max = 100, .retry_backoff = 8s});
  d.add(kP0, 0, "a");
  d.add(kP0, 1, "a");
  for (int64_t i = 2; i < 50; ++i) d.add(kP0, i, "b");
  CHECK(d.start_all() == "0@0");
  Duration longest = 8s;
  for (int64_t other = 2; other < 20; ++other, longest = std::min<Duration>(2 * longest, kRetryBackoffMax)) {
    CHECK(d.end("0@0", Attempt::failed) == Verdict::retry);
    CHECK(d.start_all() == "0@" + std::to_string(other));
    CHECK_FALSE(d.delivery.next_start());  // nobody is free
    CHECK(d.end("0@" + std::to_string(other)) == Verdict::finished);
    const Deadline due = *d.delivery.next_start();
    CHECK(due >= d.clock.now() + longest / 2);
    CHECK(due <= d.clock.now() + longest);
    CHECK_FALSE(d.delivery.is_idle());
    d.clock.advance(due - d.clock.now());
    CHECK(d.start_all() == "0@0");
  }
  CHECK(d.committable() == -1);
  CHECK(d.end("0@0") == Verdict::finished);
  CHECK(d.start_all() == "0@1");
}

TEST_CASE("delivery: a backoff beyond the usual longest stays as it is, and none is none") {
  for (const Duration backoff : {Duration(0), Duration(24h)}) {
    Driver d({.attempts_max = 10, .retry_backoff = backoff});
    d.add(kP0, 0);
    for (int i = 0; i < 5; ++i) {
      CHECK(d.start_all() == "0@0");
      CHECK(d.end("0@0", Attempt::failed) == Verdict::retry);
      const Deadline due = *d.delivery.next_start();
      CHECK(due >= d.clock.now() + backoff / 2);
      CHECK(due <= d.clock.now() + backoff);
      d.clock.advance(backoff);
    }
  }
}

TEST_CASE("delivery: more is wanted while somebody is free and has not a full batch") {
  Driver d({.order = kPartition, .workers = 2, .batch_records = 2, .queue_bytes = 10'000});
  CHECK(d.delivery.wants_more());
  CHECK(d.delivery.is_idle());
  d.add(kP0, 0);
  CHECK(d.delivery.wants_more());
  d.add(kP0, 1);
  CHECK_FALSE(d.delivery.wants_more());
  CHECK_FALSE(d.delivery.is_idle());
  CHECK(d.start_all() == "0@0,1");
  CHECK(d.delivery.wants_more());
  d.add(kP0, 2, {}, std::string(5000, 'x'));  // its partition is busy: somebody else's are wanted
  CHECK(d.delivery.wants_more());
  d.add(kP0, 3, {}, std::string(5000, 'x'));
  CHECK_FALSE(d.delivery.wants_more());  // too much is held already
  CHECK(d.end("0@0,1") == Verdict::finished);
  CHECK(d.start_all() == "0@2,3");
  CHECK(d.delivery.wants_more());
  d.add(kP1, 0);
  CHECK(d.start_all() == "1@0");
  CHECK_FALSE(d.delivery.wants_more());
}

TEST_CASE("delivery: records that nobody needs to see are done once those before them are") {
  Driver d({});
  d.delivery.pass(kP0, Offset(0), LeaderEpoch(7));
  CHECK(d.committable() == 1);
  d.add(kP0, 1);
  d.delivery.pass(kP0, Offset(2), LeaderEpoch(7));
  CHECK(d.committable() == 1);
  CHECK(d.start_all() == "0@1");
  CHECK(d.end("0@1") == Verdict::finished);
  CHECK(d.committable() == 3);
}

TEST_CASE("delivery: a partition that is given up starts nothing, and what runs is not tried again") {
  Driver d({.order = kNone, .workers = 2, .attempts_max = 5, .retry_backoff = 0s});
  d.add(kP0, 0);
  d.add(kP0, 1);
  d.add(kP0, 2);
  CHECK(d.start_all() == "0@0 0@1");
  CHECK(d.end("0@1", Attempt::failed) == Verdict::retry);
  d.add(kP1, 0);
  d.delivery.drop(kP0);
  CHECK(d.start_all() == "1@0");
  CHECK(d.delivery.running_of(kP0) == 1);
  CHECK(d.end("0@0", Attempt::failed) == Verdict::retry);
  CHECK(d.start_all() == "");
  CHECK(d.delivery.running_of(kP0) == 0);
  CHECK(d.committable() == -1);
  d.delivery.forget(kP0);
  d.add(kP0, 0);  // it came back
  CHECK(d.start_all() == "0@0");
  CHECK(d.end("0@0") == Verdict::finished);
  CHECK(d.committable() == 1);
}

TEST_CASE("delivery: after stop() what runs ends, and nothing else begins") {
  Driver d({.workers = 1, .attempts_max = 2, .retry_backoff = 0s});
  d.add(kP0, 0);
  d.add(kP0, 1);
  CHECK(d.start_all() == "0@0");
  d.delivery.stop();
  CHECK_FALSE(d.delivery.is_idle());
  CHECK(d.end("0@0", Attempt::failed) == Verdict::retry);
  CHECK(d.delivery.is_idle());
  CHECK(d.start_all() == "");
  CHECK_FALSE(d.delivery.wants_more());
}

// Whatever the options, and however commands end: every record runs, of a lane one at a time and in order, and the
// committable position never passes a record that has not finished.
TEST_CASE("delivery: any order, any outcomes: nothing is lost and lanes keep their order") {
  SeededRandom random;
  for (int run = 0; run < 300; ++run) {
    const DeliveryOrder order = std::array{kPartition, kKey, kNone}[random.below(3)];
    Driver d({.order = order,
              .workers = 1 + random.below(5),
              .batch_records = 1 + random.below(4),
              .attempts_max = 1'000'000,
              .retry_backoff = 1s});
    CAPTURE(run);
    std::map<std::pair<int, int64_t>, std::string> keys;
    std::map<std::pair<int, std::string>, int64_t> last_of_lane;  // the last offset that finished
    std::set<std::pair<int, std::string>> busy;
    std::map<std::pair<int, int64_t>, bool> finished;
    std::vector<uint64_t> running;
    int64_t next[2] = {0, 0};
    size_t added = 0;
    const auto lane = [&](int partition, int64_t offset) {
      if (order == kPartition) return std::pair(partition, std::string());
      if (order == kKey) return std::pair(partition, keys[{partition, offset}]);
      return std::pair(partition, std::to_string(offset));
    };
    const auto lanes_of = [&](const DeliveryJob& job) {
      std::set<std::pair<int, std::string>> lanes;
      for (const auto& record : job.records) lanes.insert(lane(job.partition.partition.value, record.offset().value));
      return lanes;
    };
    while (added < 100 || !d.delivery.is_idle()) {
      while (added < 100 && d.delivery.wants_more()) {
        const int p = static_cast<int>(random.below(2));
        const int64_t offset = next[p]++;
        keys[{p, offset}] = std::string(1, static_cast<char>('a' + random.below(4)));
        finished[{p, offset}] = false;
        d.add(p == 0 ? kP0 : kP1, offset, keys[{p, offset}]);
        ++added;
      }
      while (const DeliveryJob* job = d.delivery.start(d.clock.now())) {
        running.push_back(job->id);
        for (const auto& name : lanes_of(*job)) REQUIRE(busy.insert(name).second);
      }
      if (running.empty()) {
        const auto due = d.delivery.next_start();
        REQUIRE(due);
        d.clock.advance(*due - d.clock.now());
        continue;
      }
      const auto chosen = running.begin() + static_cast<std::ptrdiff_t>(random.below(running.size()));
      const uint64_t id = *chosen;
      running.erase(chosen);
      const DeliveryJob& job = d.delivery.job(id);
      const int p = job.partition.partition.value;
      for (const auto& name : lanes_of(job)) busy.erase(name);
      if (random.one_in(3)) {
        REQUIRE(d.delivery.ended(id, Attempt::failed, d.clock.now()) == Verdict::retry);
        continue;
      }
      for (const auto& record : job.records) {
        const int64_t offset = record.offset().value;
        const auto [last, fresh] = last_of_lane.try_emplace(lane(p, offset), offset);
        if (!fresh) {
          REQUIRE(last->second < offset);
          last->second = offset;
        }
        finished[{p, offset}] = true;
      }
      const TopicPartition partition = job.partition;
      REQUIRE(d.delivery.ended(id, Attempt::succeeded, d.clock.now()) == Verdict::finished);
      const int64_t position = d.committable(partition);
      for (int64_t offset = 0; offset < position; ++offset) REQUIRE(finished[{p, offset}]);
    }
    REQUIRE(std::all_of(finished.begin(), finished.end(), [](const auto& record) { return record.second; }));
    REQUIRE((next[0] == 0 || d.committable(kP0) == next[0]));
    REQUIRE((next[1] == 0 || d.committable(kP1) == next[1]));
  }
}
