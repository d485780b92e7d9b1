// What the controller does about a leader that acts between the controller's look and the fence.
#include "core/cluster/topic_controller.h"

#include <map>

#include "tests/support/printing.h"
#include "tests/support/test_cluster.h"

using namespace pg;

namespace {

// The topic of a TestCluster whose metadata the test holds.
class HeldTopic final : public ControlledTopic {
 public:
  explicit HeldTopic(TestCluster& cluster) : held(cluster.topic()), cluster_(cluster) {}

  Result<TopicMetadata> metadata() override { return held; }
  Result<bool> replace(const TopicMetadata& changed) override {
    held = changed;
    return true;
  }
  ReplicaLog* replica(PartitionId partition, BrokerId broker) override {
    auto& found = replicas_[broker];
    if (!found) found = std::make_unique<DiskReplica>(cluster_.client(), held, partition, broker);
    return found.get();
  }
  PartitionMetadata& partition() { return held.partitions[0]; }

  TopicMetadata held;

 private:
  TestCluster& cluster_;
  std::map<BrokerId, std::unique_ptr<ReplicaLog>> replicas_;
};

// Broker 0 was elected in epoch 2 after broker 2; `elected` is what a controller has planned that then replaces broker
// 0 by broker 1.
struct Election {
  Election() : topic(prepared(cluster)) {
    topic.partition().leader = BrokerId(0);
    topic.partition().leader_epoch = LeaderEpoch(2);
    topic.partition().previous_leader = BrokerId(2);
    elected = topic.partition();
    elected.leader = BrokerId(1);
    elected.leader_epoch = LeaderEpoch(3);
  }
  static TestCluster& prepared(TestCluster& cluster) {
    cluster.create();
    return cluster;
  }
  // Broker 0 opens epoch `epoch`.
  void open(LeaderEpoch epoch) {
    const PartitionMetadata& before = topic.partition();
    must(topic.replica(PartitionId(0), BrokerId(0))->lead({epoch, BrokerId(0), before.replicas, before.in_sync, 1}));
  }
  BrokerId previous_leader() {
    PartitionAction action;
    action.replica = 1;
    action.changed = elected;
    CHECK(must(carry_out(topic, topic.held, {{PartitionId(0), action}})));
    CHECK(topic.partition().leader == BrokerId(1));
    return topic.partition().previous_leader;
  }

  TestCluster cluster;
  HeldTopic topic;
  PartitionMetadata elected;
};

}  // namespace

TEST_CASE(
    "topic_controller: a leader that opens its epoch after the plan was made is the one that the next leader copies "
    "from") {
  Election t;
  t.open(LeaderEpoch(2));
  CHECK(t.previous_leader() == BrokerId(0));
}

TEST_CASE(
    "topic_controller: a leader that has not opened its epoch by the fence has nothing to copy, and cannot open it any "
    "more") {
  Election t;
  CHECK(t.previous_leader() == BrokerId(2));
  CHECK((*t.topic.replica(PartitionId(0), BrokerId(0))->page())->fenced == 3);
}

TEST_CASE("topic_controller: a leader elected without regard to what is in sync copies from nobody") {
  Election t;
  t.open(LeaderEpoch(2));
  t.elected.lossy_epoch = t.elected.leader_epoch;
  t.elected.previous_leader = kNoBroker;
  CHECK(t.previous_leader() == kNoBroker);
}
