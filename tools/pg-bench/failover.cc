// pg-bench failover: three brokers in a home of their own, and how long their partitions cannot be written to when one
// is killed.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/local/cluster_admin.h"
#include "core/os/signals.h"
#include "core/os/this_program.h"
#include "tools/pg-bench/commands.h"
#include "tools/pg-bench/result.h"
#include "tools/pg-bench/scratch.h"

namespace pg {
namespace {

constexpr int32_t kBrokers = 3;
constexpr int64_t kKills = 20, kPartitions = 12;
constexpr const char* kTopic = "t";
constexpr Duration kHealPatience = std::chrono::seconds(60);
constexpr Duration kLookInterval = std::chrono::milliseconds(10);

class Failover {
 public:
  Failover(Home& home, const BenchOptions& options)
      : home_(home), clock_(home.env().clock), options_(options), measured_(clock_.now()) {}

  Result<Measurement> run();

 private:
  Result<> start(BrokerId broker);
  Result<> await_health();
  Result<> send(PartitionId partition);
  Result<> kill_leader(int64_t kill);

  Home& home_;
  Clock& clock_;
  const BenchOptions& options_;
  std::map<BrokerId, ProgramChild> brokers_;
  std::unique_ptr<Producer> producer_;
  Measurement measured_;
};

Result<Measurement> Failover::run() {
  for (int32_t broker = 0; broker < kBrokers; ++broker) PG_CHECK(start(BrokerId(broker)));
  PG_CHECK(
      home_.create_topic(kTopic, static_cast<int32_t>(options_.partitions), {}, clock_.after(kHealPatience), kBrokers));
  PG_ASSIGN(producer_, LocalProducer::open(home_, kTopic, options_.producer));
  for (int64_t kill = 0; kill < options_.count; ++kill) {
    PG_CHECK(await_health());
    PG_CHECK(kill_leader(kill));
  }
  PG_CHECK(producer_->close());
  return std::move(measured_);
}

Result<> Failover::start(BrokerId broker) {
  PG_ASSIGN(auto child, ProgramChild::start(
                            {{"pg-bench", "broker", home_.path(), std::to_string(broker.value)}, our_environment()}));
  brokers_.emplace(broker, std::move(child));
  return {};
}

// Every partition has all of its replicas in sync, so that the next kill loses no more than one.
Result<> Failover::await_health() {
  const Deadline end = clock_.after(kHealPatience);
  for (;;) {
    PG_ASSIGN(const auto partitions, describe_partition_health(home_));
    const auto is_healthy = [](const PartitionHealth& partition) {
      return !partition.offline && partition.missing.empty();
    };
    if (!partitions.empty() && std::ranges::all_of(partitions, is_healthy)) return {};
    if (stop_signal() != 0) return fail(Errc::interrupted, "interrupted");
    if (clock_.now() >= end) return fail(Errc::timed_out, "the brokers of this benchmark do not heal", home_.path());
    clock_.wait({}, kLookInterval);
  }
}

// Returns once it is acknowledged.
Result<> Failover::send(PartitionId partition) {
  PG_CHECK(producer_->send({.value = "hi"}, partition));
  return producer_->send_batches();
}

// Partition after partition: all were waiting for the same election, so the last one's time is the longest.
Result<> Failover::kill_leader(int64_t kill) {
  PG_ASSIGN(const TopicMetadata topic, home_.describe_topic(kTopic));
  const auto count = static_cast<int64_t>(topic.partitions.size());
  for (int64_t i = 0; i < count; ++i) PG_CHECK(send(PartitionId(static_cast<int32_t>(i))));
  const BrokerId leader = topic.partitions[static_cast<size_t>(kill % count)].leader;
  const Deadline killed = clock_.now();
  brokers_.at(leader).kill();
  for (int64_t i = 0; i < count; ++i) {
    if (topic.partitions[static_cast<size_t>(i)].leader != leader) continue;
    PG_CHECK(send(PartitionId(static_cast<int32_t>(i))));
    measured_.latency().record((clock_.now() - killed).count());
  }
  brokers_.erase(leader);
  return start(leader);
}

std::vector<BrokerMetadata> three_brokers() {
  std::vector<BrokerMetadata> brokers(kBrokers);
  for (int32_t i = 0; i < kBrokers; ++i) brokers[static_cast<size_t>(i)].id = BrokerId(i);
  return brokers;
}

}  // namespace

int bench_failover(const Arguments& arguments) {
  Tool tool("pg-bench failover");
  BenchOptions options;
  options.count = kKills;
  options.partitions = kPartitions;
  options.replication_factor = kBrokers;
  options.producer.flush = FlushMode::batch;
  OptionTable table("pg-bench failover", "",
                    "Measures how long partitions cannot be written to when the broker that leads them is "
                    "killed;\nwith three brokers in a home of their own.");
  table.count("--count", 1, options.count, "kill so many brokers, one after another (default 20)");
  table.count("--partitions", 1, options.partitions, "of the topic (default 12)");
  tool.add_common_options(table, "print the result as a line of JSON");
  return run_tidily(tool, table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto outer, tool.open_home_to_write());
    PG_ASSIGN(const BenchHome own, BenchHome::make(*outer));
    PG_CHECK(Home::init(tool.env(), own.path(), three_brokers(), {}));
    PG_ASSIGN(const auto home, Home::open(tool.env(), own.path()));
    PG_ASSIGN(auto measured, Failover(*home, options).run());
    PG_CHECK(print_results(tool, *outer,
                           {{.bench = "failover",
                             .until = "acknowledged again",
                             .options = options.to_json(),
                             .measured = std::move(measured)}}));
    return kExitDone;
  });
}

// pg-bench broker HOME NUMBER: one of failover's.
int bench_broker(const Arguments& arguments) {
  Tool tool("pg-bench broker");
  const auto number = arguments.size() == 2 ? parse_integer(arguments[1]) : std::nullopt;
  if (!number) {
    tool.error("this is a part of 'pg-bench failover', and not for people");
    return kExitUsage;
  }
  OptionTable table("pg-bench broker", "", "");
  return tool.run(table, {}, [&](const auto&) -> Result<ExitCode> {
    catch_stop_signals();
    PG_ASSIGN(const auto home, Home::open(tool.env(), arguments[0]));
    PG_CHECK(run_broker(
        *home, BrokerId(static_cast<int32_t>(*number)), Supervised::no, [](const std::string&) {},
        [] { return stop_signal() != 0; }));
    return kExitDone;
  });
}

}  // namespace pg
