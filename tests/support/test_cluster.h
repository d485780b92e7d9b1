// A home of three brokers, 0 to 2, whose processes a test plays: it holds the locks that say who lives, and has each of
// them look after its replicas, and a controller look at all of them, when it wants. All in one thread. Whoever waits
// on the clock gives everybody a turn.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/cluster/controller.h"
#include "core/cluster/replica_manager.h"
#include "tests/support/test_replica.h"

namespace pg {

class TestCluster {
 public:
  // All brokers run.
  TestCluster();
  ~TestCluster();
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  // Makes the topic "t" of one partition, with replicas on the brokers 0, 1 and 2, and lets it settle: 0 leads in epoch
  // 0.
  void create(const ConfigMap& config = {});

  // A process ends at once, or with everything on stable storage, or begins.
  void kill(int32_t broker);
  void stop(int32_t broker);
  void start(int32_t broker);
  // One that is stopped and goes on: the others take it for hung.
  void freeze(int32_t broker);
  void thaw(int32_t broker);
  // The machine stops and starts again, with no broker. What was opened through client() is gone.
  void power_cut();

  // Each broker that runs looks after its replicas once, and then the controller looks.
  void turn();
  void step(int32_t broker);
  Result<> control();
  void replace_controller();
  // Turns, until nothing changes any more.
  void settle();

  // A handle of its own, as a client has; valid until the next power cut.
  Home& client() { return *client_; }
  TopicMetadata topic() { return must(client_->describe_topic(topic_)); }
  PartitionMetadata partition() { return topic().partitions[0]; }
  const std::string& topic_name() const { return topic_; }
  TopicPartition name() const { return {topic_, PartitionId(0)}; }
  // "leader 0 epoch 1 isr 0,1,2".
  std::string status();

  // Appends a batch for each letter at the leader, as a producer with acks=leader does. See test_replica.h for letters.
  void write(std::string_view letters);
  void write_batch(std::string_view letters);  // all in one
  // The broker's log, opened for this call. "" if it is not there.
  std::string text(int32_t broker);
  // All three logs, to be compared: "aab aab aab".
  std::string texts();
  Offset high_watermark(int32_t broker);
  std::unique_ptr<PartitionLog> open(int32_t broker);

  std::string directory(int32_t broker);  // of the partition
  std::string log_directory(int32_t broker) { return client_->log_directory(BrokerId(broker)); }
  // The broker's upkeep: what it has is on stable storage, and the checkpoints say so.
  void keep_up(int32_t broker);
  // The last batches of the log's only segment go: what a power cut leaves of them.
  void lose_batches(int32_t broker, int batches);

  TestEnv env;
  std::string path;
  ClusterConfig config;  // leaders are not rebalanced
  ClusterHealth health;  // what the controller takes the brokers for
  std::string said;      // what brokers and the controller told people, one line each

 private:
  struct Process;
  struct Controlling;

  Process* running(int32_t broker);
  Result<> control_topics();
  std::unique_ptr<PartitionLog> open_leader_log();
  std::string fingerprint();

  std::string topic_;
  std::unique_ptr<Home> client_;
  std::vector<std::unique_ptr<Process>> processes_;  // null: it does not run
  std::map<std::string, std::unique_ptr<Controlling>> controlled_;
  bool acting_ = false;  // a broker or the controller: its waits are its own
};

}  // namespace pg
