// Three brokers and a controller: power cuts, deaths in the middle of anything, and what people decide.
#include "core/local/cluster_admin.h"
#include "tests/support/printing.h"
#include "tests/support/test_cluster.h"

using namespace pg;

namespace {

// A topic with "aaaa" on every broker, all of it committed.
struct Filled : TestCluster {
  Filled() {
    create();
    write("aaaa");
    settle();
  }
  void start_all() {
    for (const int32_t broker : {0, 1, 2}) start(broker);
  }
};

// Lets each call fail of whatever `act` does, and every call after it, as for a process that dies there. `after` brings
// things into order and checks.
void die_at_each_call(const std::function<void(Filled&)>& prepare, const std::function<void(Filled&)>& act,
                      const std::function<void(Filled&)>& after) {
  for (int64_t nth = 1;; ++nth) {
    CAPTURE(nth);
    Filled cluster;
    prepare(cluster);
    cluster.env.files.arm({.nth = nth, .for_ever = true});
    act(cluster);
    const bool fired = cluster.env.files.fired() > 0;
    cluster.env.files.disarm();
    after(cluster);
    if (!fired) return;
  }
}

}  // namespace

TEST_CASE("recovery: after a power cut nobody leads until all in sync are back, and then the one with the most does") {
  Filled cluster;
  cluster.power_cut();
  cluster.lose_batches(0, 2);
  cluster.lose_batches(1, 3);
  cluster.lose_batches(2, 1);
  cluster.start(0);
  cluster.start(1);
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
  CHECK(cluster.texts() == "aa a aaa");
  cluster.start(2);
  cluster.settle();
  CHECK(cluster.status() == "leader 2 epoch 1 isr 0,1,2");
  CHECK(cluster.texts() == "aaa aaa aaa");
  cluster.write("bb");
  cluster.settle();
  CHECK(cluster.texts() == "aaabb aaabb aaabb");
}

TEST_CASE("recovery: what was on every disk in sync outlives a power cut, whoever leads then") {
  Filled cluster;
  for (const int32_t broker : {0, 1, 2}) cluster.keep_up(broker);
  cluster.write("aa");
  cluster.settle();
  cluster.power_cut();
  for (const int32_t broker : {0, 1, 2}) cluster.lose_batches(broker, broker == 1 ? 1 : 2);
  cluster.start_all();
  cluster.settle();
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
  CHECK(cluster.texts() == "aaaaa aaaaa aaaaa");
  for (const int32_t broker : {0, 1, 2}) CHECK(cluster.high_watermark(broker) == Offset(5));
}

TEST_CASE("recovery: a replica that was out of sync is not waited for after a power cut, and does not lead") {
  Filled cluster;
  cluster.kill(2);
  cluster.settle();
  cluster.write("aa");
  cluster.settle();
  cluster.power_cut();
  cluster.lose_batches(0, 1);
  cluster.lose_batches(1, 2);
  cluster.start(0);
  cluster.start(1);
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 1 isr 0,1");
  CHECK(cluster.texts() == "aaaaa aaaaa aaaa");
}

// Of the three, one knows that it lacks nothing.
TEST_CASE("recovery: one that had stopped cleanly leads after a power cut, without waiting for the others") {
  Filled cluster;
  for (const int32_t broker : {0, 1, 2}) cluster.freeze(broker);
  cluster.stop(1);
  cluster.power_cut();
  cluster.lose_batches(0, 2);
  cluster.start(0);
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
  cluster.start(1);
  cluster.settle();
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1");
  CHECK(cluster.text(1) == "aaaa");
  CHECK(cluster.text(0) == "aaaa");
}

TEST_CASE("recovery: brokers that all stopped cleanly lack nothing after the machine restarted") {
  Filled cluster;
  for (const int32_t broker : {0, 1, 2}) cluster.stop(broker);
  cluster.power_cut();
  cluster.start(2);
  cluster.settle();
  CHECK(cluster.status() == "leader 2 epoch 1 isr 2");
  cluster.start(0);
  cluster.start(1);
  cluster.settle();
  CHECK(cluster.status() == "leader 2 epoch 1 isr 0,1,2");
  CHECK(cluster.texts() == "aaaa aaaa aaaa");
}

// KIP-966: what it had acknowledged may be missing.
TEST_CASE("recovery: a leader whose disk lost something does not lead again before it has copied the log") {
  Filled cluster;
  cluster.kill(0);
  // Its own machine, so to speak: the page is of another boot, and a record is missing.
  cluster.lose_batches(0, 1);
  must(cluster.env.files.unlink(names::partition_state(cluster.directory(0))));
  cluster.start(0);
  cluster.settle();
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
  CHECK(cluster.texts() == "aaaa aaaa aaaa");
}

TEST_CASE("recovery: an election that a controller began and did not end is ended by the next") {
  Filled cluster;
  cluster.open(0)->current_state()->fence(LeaderEpoch(1));
  cluster.replace_controller();
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 1 isr 0,1,2");
  cluster.write("b");
  cluster.settle();
  CHECK(cluster.texts() == "aaaab aaaab aaaab");
}

TEST_CASE("recovery: wherever the controller dies, the next one goes on") {
  die_at_each_call([](Filled& cluster) { cluster.kill(0); },
                   [](Filled& cluster) {
                     (void)cluster.control();
                     cluster.replace_controller();
                   },
                   [](Filled& cluster) {
                     cluster.settle();
                     CHECK(cluster.partition().leader == BrokerId(1));
                     const auto epoch = static_cast<char>('a' + cluster.partition().leader_epoch.value);
                     cluster.write(std::string(2, epoch));
                     cluster.start(0);
                     cluster.settle();
                     const std::string all = "aaaa" + std::string(2, epoch);
                     CHECK(cluster.texts() == all + " " + all + " " + all);
                     CHECK(cluster.partition().in_sync.size() == 3);
                   });
}

TEST_CASE("recovery: wherever a follower dies, it goes on when it is back") {
  die_at_each_call([](Filled& cluster) { cluster.write("aa"); },
                   [](Filled& cluster) {
                     cluster.step(2);
                     cluster.kill(2);
                   },
                   [](Filled& cluster) {
                     cluster.settle();
                     cluster.start(2);
                     cluster.settle();
                     CHECK(cluster.texts() == "aaaaaa aaaaaa aaaaaa");
                     CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
                   });
}

TEST_CASE("recovery: wherever a new leader dies, another one leads, and nothing is lost") {
  die_at_each_call(
      [](Filled& cluster) {
        cluster.write("aa");  // which it has to copy from the dead leader's files
        cluster.kill(0);
        must(cluster.control());
      },
      [](Filled& cluster) {
        cluster.step(1);
        cluster.kill(1);
      },
      [](Filled& cluster) {
        cluster.settle();
        CHECK(cluster.partition().leader == BrokerId(2));
        CHECK(cluster.text(2) == "aaaaaa");
        cluster.start(0);
        cluster.start(1);
        cluster.settle();
        CHECK(cluster.texts() == "aaaaaa aaaaaa aaaaaa");
        CHECK(cluster.partition().in_sync.size() == 3);
      });
}

TEST_CASE("recovery: wherever one dies that makes a lost replica anew, it begins again") {
  die_at_each_call(
      [](Filled& cluster) {
        must(cluster.env.files.remove_tree(cluster.directory(2)));
        cluster.env.manual_clock.advance(std::chrono::seconds(1));
        must(cluster.control());
        cluster.step(2);  // it has heard that it is out of sync
      },
      [](Filled& cluster) {
        cluster.env.manual_clock.advance(std::chrono::seconds(1));
        for (int i = 0; i < 3; ++i) cluster.step(2);
        cluster.kill(2);
      },
      [](Filled& cluster) {
        cluster.settle();
        cluster.start(2);
        cluster.settle();
        CHECK(cluster.texts() == "aaaa aaaa aaaa");
        CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
      });
}

TEST_CASE(
    "recovery: with all in sync gone, whoever is left leads only if somebody says so, and loses only what it lacks") {
  Filled cluster;
  cluster.kill(1);
  cluster.settle();
  cluster.write("aa");  // not on 1
  cluster.settle();
  cluster.kill(2);
  cluster.settle();
  cluster.write("aa");  // not on 2 either
  cluster.settle();
  cluster.kill(0);
  must(cluster.env.files.remove_tree(cluster.directory(0)));
  cluster.start(1);
  cluster.start(2);
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0");
  const auto elected = must(elect_leader(cluster.client(), cluster.topic(), PartitionId(0), true, cluster.env.soon()));
  REQUIRE(elected);
  CHECK(elected->leader == BrokerId(2));
  CHECK(elected->in_sync == std::vector{BrokerId(2)});
  cluster.settle();
  CHECK(cluster.status() == "leader 2 epoch 1 isr 1,2");
  CHECK(cluster.text(2) == "aaaaaa");
  CHECK(cluster.text(1) == "aaaaaa");
  cluster.write("b");
  cluster.start(0);
  cluster.settle();
  CHECK(cluster.texts() == "aaaaaab aaaaaab aaaaaab");
}

TEST_CASE("recovery: a leader that comes back after somebody let others go on without its records loses them") {
  Filled cluster;
  cluster.kill(1);
  cluster.kill(2);
  cluster.settle();
  cluster.write("aa");
  cluster.settle();
  CHECK(cluster.high_watermark(0) == Offset(6));
  cluster.kill(0);
  const std::string directory = cluster.directory(0), away = directory + "-away";
  must(cluster.env.files.rename(directory, away));
  cluster.start(1);
  cluster.settle();
  REQUIRE(must(elect_leader(cluster.client(), cluster.topic(), PartitionId(0), true, cluster.env.soon())));
  cluster.settle();
  cluster.write("b");
  must(cluster.env.files.rename(away, directory));
  CHECK(cluster.texts() == "aaaaaa aaaab aaaa");
  cluster.start(0);
  cluster.start(2);
  cluster.settle();
  CHECK(cluster.texts() == "aaaab aaaab aaaab");
  CHECK(cluster.partition().in_sync.size() == 3);
}

TEST_CASE("recovery: nobody is elected at a loss where somebody leads, or will without one") {
  Filled cluster;
  const auto elect = [&](bool unclean) {
    return elect_leader(cluster.client(), cluster.topic(), PartitionId(0), unclean, cluster.env.soon());
  };
  CHECK_FALSE(must(elect(true)));
  CHECK_FALSE(must(elect(false)));
  cluster.kill(0);
  CHECK(code_of(elect(true)) == Errc::busy);  // the controller has not looked yet
  cluster.settle();
  CHECK_FALSE(must(elect(true)));
  CHECK(code_of(elect(false)) == Errc::busy);
  cluster.start(0);
  cluster.settle();
  CHECK(must(elect(false))->leader == BrokerId(0));
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 2 isr 0,1,2");
  for (const int32_t broker : {0, 1, 2}) cluster.kill(broker);
  CHECK(code_of(elect(true)) == Errc::busy);
}

TEST_CASE("recovery: a new follower begins where its leader does, in the middle of a batch too") {
  Filled cluster;
  cluster.write_batch("aaa");
  cluster.write("a");
  cluster.settle();
  must(cluster.open(0)->raise_log_start(Offset(5), cluster.env.soon()));
  cluster.settle();
  for (const int32_t broker : {0, 1, 2})
    CHECK(cluster.open(broker)->current_state()->position().log_start == Offset(5));
  must(cluster.env.files.remove_tree(cluster.directory(2)));
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
  CHECK(cluster.open(2)->current_state()->position().log_start == Offset(5));
  CHECK(cluster.open(2)->current_state()->position().log_end == Offset(8));
  cluster.kill(0);
  cluster.settle();
  CHECK(contents(*cluster.open(2), 5) == "5:a 6:a 7:a");
}

TEST_CASE("recovery: a topic of the same name is another one") {
  Filled cluster;
  must(cluster.client().delete_topic(cluster.topic_name(), cluster.env.soon()));
  for (const int32_t broker : {0, 1, 2}) CHECK_FALSE(exists(cluster.env.files, cluster.directory(broker)));
  for (int turns = 0; turns < 3; ++turns) cluster.turn();
  cluster.create();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
  cluster.write("a");
  cluster.settle();
  CHECK(cluster.texts() == "a a a");
}
