#include "tests/support/test_cluster.h"

#include <fmt/format.h>

#include "core/cluster/broker.h"
#include "core/cluster/upkeep.h"
#include "core/store/leader.h"
#include "core/store/placement.h"
#include "tests/support/plan_scene.h"

namespace pg {
namespace {

constexpr int kBrokers = 3;
constexpr Duration kLook = std::chrono::milliseconds(10);

std::vector<BrokerId> all_brokers() { return {BrokerId(0), BrokerId(1), BrokerId(2)}; }

// One whose replicas lie on the brokers in their order.
std::string fitting_topic() {
  std::string name = "a";
  while (place_replicas(name, 0, kBrokers, all_brokers()) != all_brokers()) ++name[0];
  return name;
}

}  // namespace

struct TestCluster::Process {
  Process(TestCluster& cluster, BrokerId broker)
      : home(must(Home::open(cluster.env.env(), cluster.path))),
        lock(must(cluster.env.files.open_lock(names::broker_lock(cluster.path, broker), Access::read_write))),
        tell([&cluster, broker](const std::string& line) {
          cluster.said += fmt::format("{}: {}\n", broker.value, line);
        }),
        replicas(*home, broker, tell),
        upkeep(*home, broker, tell) {
    upkeep.open_all();
    must(LogDirectory(home->env(), home->log_directory(broker)).forget_clean_stop());
    serves = must(HeldLock::acquire(*lock, broker_lock_byte::kServes, LockMode::exclusive, cluster.env.soon()));
  }

  std::unique_ptr<Home> home;
  std::unique_ptr<LockFile> lock;
  HeldLock serves;
  std::function<void(const std::string&)> tell;
  ReplicaManager replicas;
  Upkeep upkeep;
  bool frozen = false;
};

// Of one topic.
struct TestCluster::Controlling {
  Controlling(TestCluster& cluster, const std::string& name)
      : home(must(Home::open(cluster.env.env(), cluster.path))),
        topic(*home, name),
        controller([&cluster](const std::string& line) { cluster.said += line + "\n"; }) {}

  std::unique_ptr<Home> home;
  DiskTopic topic;
  TopicController controller;
};

TestCluster::TestCluster()
    : path(env.root() + "/home"), config(must(to_cluster_config({}))), topic_(fitting_topic()), processes_(kBrokers) {
  config.rebalance_leaders = false;
  must(Home::init(env.env(), path, {{BrokerId(0)}, {BrokerId(1)}, {BrokerId(2)}}, {}));
  must(env.files.make_directories(names::locks_directory(path)));
  client_ = must(Home::open(env.env(), path));
  for (int32_t broker = 0; broker < kBrokers; ++broker) start(broker);
  env.manual_clock.meanwhile([this] {
    if (!acting_) turn();
  });
}

TestCluster::~TestCluster() { env.manual_clock.meanwhile({}); }

void TestCluster::create(const ConfigMap& topic_config) {
  must(client_->create_topic(topic_, 1, topic_config, env.soon(), kBrokers));
  settle();
}

void TestCluster::kill(int32_t broker) {
  processes_[static_cast<size_t>(broker)].reset();
  health[BrokerId(broker)] = BrokerHealth::dead;
}

void TestCluster::stop(int32_t broker) {
  must(running(broker)->upkeep.finish());
  must(LogDirectory(env.env(), log_directory(broker)).note_clean_stop());
  kill(broker);
}

void TestCluster::start(int32_t broker) {
  processes_[static_cast<size_t>(broker)] = std::make_unique<Process>(*this, BrokerId(broker));
  health[BrokerId(broker)] = BrokerHealth::running;
}

TestCluster::Process* TestCluster::running(int32_t broker) { return processes_[static_cast<size_t>(broker)].get(); }

void TestCluster::keep_up(int32_t broker) { must(running(broker)->upkeep.finish()); }

void TestCluster::freeze(int32_t broker) {
  running(broker)->frozen = true;
  health[BrokerId(broker)] = BrokerHealth::hung;
}

void TestCluster::thaw(int32_t broker) {
  running(broker)->frozen = false;
  health[BrokerId(broker)] = BrokerHealth::running;
}

void TestCluster::power_cut() {
  for (int32_t broker = 0; broker < kBrokers; ++broker) kill(broker);
  replace_controller();
  client_.reset();
  env.reboot();
  client_ = must(Home::open(env.env(), path));
}

void TestCluster::turn() {
  for (int32_t broker = 0; broker < kBrokers; ++broker) step(broker);
  must(control());
}

void TestCluster::step(int32_t broker) {
  Process* const process = running(broker);
  if (process == nullptr || process->frozen) return;
  acting_ = true;
  process->replicas.turn();
  acting_ = false;
}

void TestCluster::replace_controller() { controlled_.clear(); }

Result<> TestCluster::control() {
  acting_ = true;
  const auto done = control_topics();
  acting_ = false;
  return done;
}

Result<> TestCluster::control_topics() {
  PG_ASSIGN(const auto names, client_->list_topics());
  for (const auto& name : names) {
    auto& controlled = controlled_[name];
    if (!controlled) controlled = std::make_unique<Controlling>(*this, name);
    PG_CHECK(controlled->controller.reconcile(controlled->topic, health, config, env.clock().now()));
  }
  return {};
}

// Whoever met an error tries again after a while, and the third look is the one at which somebody joins.
void TestCluster::settle() {
  constexpr int kStill = 4, kTurnsMax = 1000;
  std::string before;
  for (int turns = 0, still = 0; still < kStill; ++turns) {
    if (turns == kTurnsMax) throw std::logic_error("the cluster does not settle: " + before);
    turn();
    env.manual_clock.advance(kLook);
    std::string now = fingerprint();
    still = now == before ? still + 1 : 0;
    before = std::move(now);
  }
}

std::string TestCluster::fingerprint() {
  std::string text = status() + fmt::format(" v{}", topic().version);
  for (int32_t broker = 0; broker < kBrokers; ++broker) {
    const auto log = open(broker);
    if (!log) continue;
    const StatePage& page = log->current_state()->page();
    text += fmt::format(" {}: {} {} {} {} {:x} {}", broker, page.role.load(), page.leader_epoch.load(),
                        read_position(page).log_end.value, page.high_watermark.load(), page.in_sync.load(),
                        page.flushed.load());
    for (const auto& slot : page.slots) text += fmt::format(" {}", slot.log_end.load());
  }
  return text;
}

std::string TestCluster::status() {
  const PartitionMetadata now = partition();
  return fmt::format("leader {} epoch {} isr {}", now.leader.value, now.leader_epoch.value, ids_of(now.in_sync));
}

std::unique_ptr<PartitionLog> TestCluster::open_leader_log() {
  TopicMetadata now = topic();
  return must(open_leader(*client_, now, PartitionId(0), env.soon()));
}

void TestCluster::write(std::string_view letters) {
  const auto log = open_leader_log();
  for (const char letter : letters) append(*log, {std::string(1, letter)});
}

void TestCluster::write_batch(std::string_view letters) {
  std::vector<std::string> values;
  for (const char letter : letters) values.emplace_back(1, letter);
  append(*open_leader_log(), values);
}

std::unique_ptr<PartitionLog> TestCluster::open(int32_t broker) {
  auto spec = must(client_->replica_spec(topic(), PartitionId(0), BrokerId(broker), Access::read_write));
  auto log = PartitionLog::open(env.env(), std::move(spec), env.soon());
  if (!log && log.error().code == Errc::not_found) return nullptr;
  return must(std::move(log));
}

std::string TestCluster::text(int32_t broker) {
  const auto log = open(broker);
  return log ? letters_of(*log) : "";
}

std::string TestCluster::texts() { return text(0) + " " + text(1) + " " + text(2); }

Offset TestCluster::high_watermark(int32_t broker) { return open(broker)->current_state()->high_watermark(); }

std::string TestCluster::directory(int32_t broker) { return names::partition_directory(log_directory(broker), name()); }

void TestCluster::lose_batches(int32_t broker, int batches) {
  const auto file =
      must(env.files.open(names::segment(directory(broker), Offset(0), names::SegmentFile::log), OpenMode::write));
  BatchScanner scanner(*file);
  std::vector<uint64_t> begins;
  do begins.push_back(scanner.position());
  while (must(scanner.next(must(file->info()).size_bytes)));
  must(file->truncate(begins.at(begins.size() - 1 - static_cast<size_t>(batches))));
}

}  // namespace pg
