// Three brokers and a controller: replication, and what becomes of a partition when a broker or its files go.
#include "core/local/cluster_admin.h"
#include "core/log/replica_words.h"
#include "tests/support/printing.h"
#include "tests/support/test_cluster.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

int64_t differences(TestCluster& cluster) {
  return must(compare_replicas(cluster.client(), cluster.topic(), PartitionId(0), cluster.env.soon(),
                               [](const std::string& line) { FAIL_CHECK(line); }));
}

// Both followers stand still, without anybody noticing.
void hold_followers(TestCluster& cluster) {
  for (const int32_t broker : {1, 2}) {
    cluster.freeze(broker);
    cluster.health[BrokerId(broker)] = BrokerHealth::running;
  }
}

void release_followers(TestCluster& cluster) {
  for (const int32_t broker : {1, 2}) cluster.thaw(broker);
}

}  // namespace

TEST_CASE("failover: followers have what the leader has, and it is committed") {
  TestCluster cluster;
  cluster.create();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
  cluster.write("aaa");
  CHECK(cluster.high_watermark(0) == Offset(0));
  cluster.settle();
  CHECK(cluster.texts() == "aaa aaa aaa");
  for (const int32_t broker : {0, 1, 2}) CHECK(cluster.high_watermark(broker) == Offset(3));
  CHECK(differences(cluster) == 0);
}

TEST_CASE("failover: a dead leader is replaced, and follows when it is back") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aaa");
  cluster.settle();
  cluster.kill(0);
  cluster.settle();
  CHECK(cluster.status() == "leader 1 epoch 1 isr 1,2");
  cluster.write("bb");
  cluster.settle();
  CHECK(cluster.texts() == "aaa aaabb aaabb");
  CHECK(cluster.high_watermark(1) == Offset(5));
  cluster.start(0);
  cluster.settle();
  CHECK(cluster.texts() == "aaabb aaabb aaabb");
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
  CHECK(differences(cluster) == 0);
}

TEST_CASE("failover: one broker after the other dies and comes back, and nothing is lost") {
  TestCluster cluster;
  cluster.create();
  std::string written;
  for (int round = 0; round < 9; ++round) {
    const auto leader = cluster.partition().leader.value;
    const std::string letters(2, static_cast<char>('a' + cluster.partition().leader_epoch.value));
    cluster.write(letters);
    written += letters;
    cluster.kill(leader);
    cluster.settle();
    if (round % 2 == 0)
      cluster.start(leader);
    else
      cluster.kill(cluster.partition().leader.value), cluster.start(leader);
    cluster.settle();
    for (const int32_t broker : {0, 1, 2}) {
      if (cluster.health[BrokerId(broker)] == BrokerHealth::dead) cluster.start(broker);
    }
    cluster.settle();
    CHECK(cluster.texts() == written + " " + written + " " + written);
  }
  CHECK(differences(cluster) == 0);
}

TEST_CASE("failover: what only the dead leader had is copied from its files, so acks=leader survives") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aa");
  cluster.settle();
  hold_followers(cluster);
  cluster.write("aaa");
  cluster.kill(0);
  must(cluster.control());
  CHECK(cluster.status() == "leader 1 epoch 1 isr 1,2");
  CHECK(cluster.texts() == "aaaaa aa aa");
  release_followers(cluster);
  cluster.settle();
  CHECK(cluster.texts() == "aaaaa aaaaa aaaaa");
  CHECK(cluster.high_watermark(1) == Offset(5));
}

TEST_CASE("failover: where the dead leader's files could not be read, what only it had is cut when it is back") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aa");
  cluster.settle();
  hold_followers(cluster);
  cluster.write("aaaa");
  for (const int32_t broker : {0, 1, 2}) cluster.kill(broker);  // so that nobody has those files open
  const std::string directory = cluster.directory(0), away = directory + "-away";
  must(cluster.env.files.rename(directory, away));
  cluster.start(1);
  cluster.start(2);
  cluster.settle();
  CHECK(cluster.status() == "leader 1 epoch 1 isr 1,2");
  cluster.write("bbb");
  cluster.settle();
  must(cluster.env.files.rename(away, directory));
  CHECK(cluster.texts() == "aaaaaa aabbb aabbb");
  cluster.start(0);
  cluster.settle();
  CHECK(cluster.texts() == "aabbb aabbb aabbb");
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
}

TEST_CASE("failover: a leader that hangs and wakes can add nothing, and commit nothing") {
  TestCluster cluster;
  cluster.create();
  const auto old = cluster.open(0);
  hold_followers(cluster);
  const auto before = must(try_append(*old, {"a"}));
  cluster.freeze(0);
  release_followers(cluster);
  cluster.settle();
  CHECK(cluster.status() == "leader 1 epoch 1 isr 1,2");
  CHECK(code_of(try_append(*old, {"a"})) == Errc::fenced);
  CHECK(code_of(old->wait_committed(before, false, cluster.env.soon())) == Errc::fenced);
  cluster.write("b");
  cluster.thaw(0);
  cluster.settle();
  CHECK(code_of(try_append(*old, {"a"})) == Errc::not_leader);
  CHECK(cluster.texts() == "ab ab ab");
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
}

TEST_CASE("failover: with too few in sync nothing is committed") {
  TestCluster cluster;
  cluster.create({{"min.insync.replicas", "2"}});
  cluster.write("a");
  cluster.settle();
  cluster.kill(1);
  cluster.kill(2);
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0");
  cluster.write("aa");
  cluster.settle();
  CHECK(cluster.high_watermark(0) == Offset(1));
  cluster.start(2);
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,2");
  CHECK(cluster.high_watermark(0) == Offset(3));
}

TEST_CASE("failover: a lost replica first leaves the ISR, and then is made anew") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aaa");
  cluster.settle();
  cluster.said.clear();
  must(cluster.env.files.remove_tree(cluster.directory(2)));
  cluster.settle();
  CHECK(cluster.texts() == "aaa aaa aaa");
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
  const size_t out = cluster.said.find("broker 2 is out of sync"),
               anew = cluster.said.find("recreated, to be copied from broker 0"),
               in = cluster.said.find("broker 2 is in sync");
  CHECK(out < anew);
  CHECK(anew < in);
  CHECK(in != std::string::npos);
  CHECK(differences(cluster) == 0);
}

TEST_CASE("failover: a replica that is made anew knows that it lacks something, and nothing of the lost one's log") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aaaa");
  cluster.settle();
  cluster.keep_up(2);
  must(LogDirectory(cluster.env.env(), cluster.log_directory(2))
           .raise_log_start(cluster.name(), Offset(3), cluster.env.soon()));
  must(cluster.env.files.remove_tree(cluster.directory(2)));
  cluster.env.manual_clock.advance(std::chrono::milliseconds(10));
  must(cluster.control());
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1");
  cluster.step(2);
  CHECK(cluster.open(2)->current_state()->page().unclean == 1);
  const LogDirectory directory(cluster.env.env(), cluster.log_directory(2));
  CHECK(must(directory.recovery_point(cluster.name())) == Offset(0));
  CHECK(must(directory.log_start(cluster.name())) == Offset(0));
  cluster.settle();
  CHECK(cluster.open(2)->current_state()->page().unclean == 0);
  CHECK(cluster.texts() == "aaaa aaaa aaaa");
}

TEST_CASE("failover: a leader whose log is lost leads no more, and is made anew") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aaa");
  cluster.settle();
  must(cluster.env.files.remove_tree(cluster.directory(0)));
  cluster.settle();
  CHECK(cluster.texts() == "aaa aaa aaa");
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
}

TEST_CASE("failover: in a log directory that is not known as the broker's, nothing is made anew") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aaa");
  cluster.settle();
  const std::string directory = cluster.log_directory(2),
                    properties = must(cluster.env.files.read_all(names::meta_properties(directory)));
  must(cluster.env.files.remove_tree(directory));
  must(cluster.env.files.make_directory(directory));  // as a mount point looks without its disk
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1");
  CHECK(must(cluster.env.files.list(directory)).empty());
  CHECK(cluster.said.find("is its disk mounted?") != std::string::npos);
  must(cluster.env.files.replace(names::meta_properties(directory), properties));
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
  CHECK(cluster.texts() == "aaa aaa aaa");
}

TEST_CASE(
    "failover: a follower that finds its leader damaged tells, another one leads, and the damaged log is copied "
    "again") {
  TestCluster cluster;
  cluster.create();
  cluster.write("aaaa");
  cluster.settle();
  const uint64_t batch = size_of(cluster.env.files, cluster.directory(0) + "/00000000000000000000.log") / 4;
  flip_bits(cluster.env.files, cluster.directory(0) + "/00000000000000000000.log", 2 * batch + 70);
  must(cluster.env.files.remove_tree(cluster.directory(2)));
  cluster.settle();
  CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
  CHECK(cluster.texts() == "aaaa aaaa aaaa");
  CHECK(cluster.said.find("its log is damaged") != std::string::npos);
  CHECK(differences(cluster) == 0);
}

TEST_CASE(
    "failover: when a topic is made anew under its name, nothing is concluded from what was seen of the old one") {
  TestCluster cluster;
  const auto joins = [&] { return InSync::unpack(cluster.open(0)->current_state()->page().in_sync.load()).has(2); };
  // A replica leaves and joins in each of them, at the same version of the leader's word.
  cluster.create();
  cluster.write("a");
  cluster.kill(2);
  cluster.settle();
  cluster.start(2);
  cluster.settle();
  must(cluster.client().delete_topic(cluster.topic_name(), cluster.env.soon()));
  cluster.create();
  cluster.write("bb");
  cluster.kill(2);
  cluster.settle();
  cluster.start(2);
  for (int turns = 0; turns < 100 && !joins(); ++turns) cluster.turn();
  REQUIRE(joins());
  REQUIRE(cluster.status() == "leader 0 epoch 0 isr 0,1");
  // It holds the high watermark back from now on, but what was committed until now it may lack.
  cluster.freeze(2);
  cluster.health[BrokerId(2)] = BrokerHealth::running;
  cluster.write("c");
  must(cluster.control());
  must(cluster.control());
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1");
  cluster.thaw(2);
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
}

TEST_CASE("failover: a partition goes back to its preferred leader") {
  TestCluster cluster;
  cluster.create();
  cluster.config.rebalance_leaders = true;
  cluster.kill(0);
  cluster.settle();
  cluster.start(0);
  for (int turns = 0; turns < 100; ++turns) {
    cluster.turn();
    cluster.env.manual_clock.advance(100ms);
  }
  CHECK(cluster.status() == "leader 0 epoch 2 isr 0,1,2");
}
