#include "core/cluster/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/format/path_names.h"

namespace pg {
namespace {

// Rounds for one topic in one turn: an election is one, and so is what follows from it.
constexpr int kRoundsMax = 4;

}  // namespace

Result<ControllerMetadata> read_controller(const Home& home) {
  PG_ASSIGN(const auto stored, VersionedFile(home.env(), names::controller_file(home.path())).read());
  if (!stored) return ControllerMetadata{};
  const auto json = nlohmann::json::parse(stored->content, nullptr, false);
  const bool whole = json.is_object() && json.contains("broker") && json["broker"].is_number_integer();
  return ControllerMetadata{stored->version, whole ? BrokerId(json["broker"].get<int32_t>()) : kNoBroker};
}

std::map<BrokerId, BrokerSigns> read_signs(const Home& home) {
  std::map<BrokerId, BrokerSigns> signs;
  const auto state = home.cluster_state();
  for (const BrokerId broker : home.broker_ids()) {
    BrokerSigns& seen = signs[broker];
    seen.alive = home.is_broker_alive(broker).value_or(false);
    if (!state) continue;
    const BrokerSlot& slot = state->broker(broker);
    seen.heartbeat = slot.heartbeat.load();
    seen.stopping = slot.stopping.load() != 0;
    seen.disk_full = slot.disk.load() == static_cast<uint32_t>(DiskState::full);
    seen.disk_failed = slot.disk.load() == static_cast<uint32_t>(DiskState::failed);
  }
  return signs;
}

Result<TopicMetadata> DiskTopic::metadata() {
  PG_ASSIGN(const int64_t version, home_.topic_version(name_));
  if (known_.version == version && version != 0) return known_;
  PG_ASSIGN(TopicMetadata read, home_.describe_topic(name_));
  if (read.id != known_.id) replicas_.clear();
  known_ = std::move(read);
  return known_;
}

ReplicaLog* DiskTopic::replica(PartitionId partition, BrokerId broker) {
  auto& found = replicas_[{partition, broker}];
  if (!found) found = std::make_unique<DiskReplica>(home_, known_, partition, broker);
  return found.get();
}

struct Controller::Controlled {
  Controlled(const Home& home, const std::string& name, const std::function<void(const std::string&)>& tell)
      : topic(home, name), controller(tell) {}
  DiskTopic topic;
  TopicController controller;
};

Controller::Controller(const Home& home, BrokerId self, std::function<void(const std::string&)> tell)
    : home_(home), self_(self), tell_(std::move(tell)), topics_(home) {}

Controller::~Controller() = default;

Result<> Controller::turn() {
  topics_.refresh();
  PG_ASSIGN(const ClusterMetadata cluster, home_.describe_cluster());
  PG_ASSIGN(const ClusterConfig config, to_cluster_config(cluster.config));
  const ClusterHealth health = watch_.look(read_signs(home_), config.session_timeout, home_.env().clock.now());
  PG_ASSIGN(const bool mine, is_mine(health));
  if (!mine) {
    controlled_.clear();
    noted_.clear();
    return {};
  }
  note_health(health);
  std::erase_if(controlled_, [&](const auto& entry) { return !topics_.topics().contains(entry.first); });
  Result<> outcome;
  for (const auto& [name, topic] : topics_.topics()) {
    const bool replicated = std::any_of(topic->partitions.begin(), topic->partitions.end(),
                                        [](const auto& p) { return p.is_replicated(); });
    if (!replicated) continue;
    // Whatever is wrong with one topic, the others get their leaders.
    auto done = control(name, health, config);
    if (!done && outcome) outcome = std::move(done);
  }
  return outcome;
}

Result<> Controller::control(const std::string& name, const ClusterHealth& health, const ClusterConfig& config) {
  auto& controlled = controlled_[name];
  if (!controlled) controlled = std::make_unique<Controlled>(home_, name, tell_);
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto changed = controlled->controller.reconcile(controlled->topic, health, config, home_.env().clock.now());
    if (!changed && changed.error().code == Errc::not_found) break;  // deleted meanwhile
    PG_CHECK(changed);
    if (!*changed) break;
  }
  return {};
}

Result<bool> Controller::is_mine(const ClusterHealth& health) {
  PG_ASSIGN(const ControllerMetadata now, read_controller(home_));
  if (now.broker == self_) return true;
  const auto found = health.find(now.broker);
  const bool lives = found != health.end() && is_working(found->second) && found->second != BrokerHealth::starting;
  if (lives) return false;
  VersionedFile file(home_.env(), names::controller_file(home_.path()));
  PG_ASSIGN(const bool first, file.compare_and_swap(now.epoch, nlohmann::json{{"broker", self_.value}}.dump() + "\n"));
  if (first) tell_(fmt::format("broker {} is the controller (epoch {})", self_.value, now.epoch + 1));
  return first;
}

// With the time, for people who ask what became of a broker.
void Controller::note_health(const ClusterHealth& health) {
  const auto state = home_.cluster_state();
  for (const auto& [broker, now] : health) {
    const auto before = noted_.find(broker);
    if (before != noted_.end() && before->second == now) continue;
    if (now != BrokerHealth::running || before != noted_.end())
      tell_(fmt::format("broker {} is {}", broker.value, name_of(now)));
    noted_[broker] = now;
    if (!state) continue;
    BrokerSlot& slot = state->broker(broker);
    const uint32_t word = static_cast<uint32_t>(now) + 1;
    if (slot.noticed.exchange(word) != word) slot.noticed_ms.store(home_.env().clock.wall_ms());
  }
}

}  // namespace pg
