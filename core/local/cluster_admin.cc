#include "core/local/cluster_admin.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/cluster/broker.h"
#include "core/cluster/controller.h"
#include "core/format/path_names.h"
#include "core/os/process.h"

namespace pg {

Result<> run_broker(Home& home, BrokerId id, Supervised supervised, const std::function<void(const std::string&)>& tell,
                    const std::function<bool()>& must_stop) {
  PG_ASSIGN(const auto broker, Broker::open(home, id, supervised, tell));
  tell("runs");
  return broker->run(must_stop);
}

Result<std::vector<BrokerDescription>> describe_brokers(const Home& home) {
  PG_ASSIGN(const ClusterMetadata cluster, home.describe_cluster());
  PG_ASSIGN(const ControllerMetadata controller, read_controller(home));
  const auto signs = read_signs(home);
  const auto state = home.cluster_state();
  std::vector<BrokerDescription> brokers;
  for (const auto& broker : cluster.brokers) {
    BrokerDescription described{
        broker.id, "dead", 0, home.log_directory(broker.id), {}, broker.id == controller.broker};
    const BrokerSigns& seen = signs.at(broker.id);
    BrokerHealth health = !seen.alive        ? BrokerHealth::dead
                          : seen.disk_failed ? BrokerHealth::failed
                          : seen.stopping    ? BrokerHealth::stopping
                          : seen.disk_full   ? BrokerHealth::full
                                             : BrokerHealth::running;
    if (state) {
      const BrokerSlot& slot = state->broker(broker.id);
      const uint32_t noticed = slot.noticed.load();
      // Whether one hangs takes a while to see: the controller has watched.
      const bool hung = noticed == static_cast<uint32_t>(BrokerHealth::hung) + 1;
      if (seen.alive && hung) health = BrokerHealth::hung;
      if (seen.alive) described.pid = slot.pid.load();
      if (noticed == static_cast<uint32_t>(health) + 1) described.since_ms = slot.noticed_ms.load();
    }
    described.state = name_of(health);
    described.is_controller &= seen.alive;
    brokers.push_back(std::move(described));
  }
  return brokers;
}

Result<std::vector<PartitionHealth>> describe_partition_health(const Home& home) {
  PG_ASSIGN(const auto names, home.list_topics());
  std::vector<PartitionHealth> all;
  for (const auto& name : names) {
    const auto topic = home.describe_topic(name);
    if (!topic) continue;  // deleted meanwhile
    for (size_t p = 0; p < topic->partitions.size(); ++p) {
      const PartitionMetadata& metadata = topic->partitions[p];
      PartitionHealth health{{name, PartitionId(static_cast<int32_t>(p))}, metadata.leader, metadata.leader_epoch};
      const std::string directory = names::partition_directory(home.log_directory(metadata.leader), health.partition);
      health.offline = !home.env().files.info(directory);
      if (metadata.is_replicated()) health.offline |= !home.is_broker_alive(metadata.leader).value_or(false);
      for (const BrokerId replica : metadata.replicas) {
        const bool in = std::find(metadata.in_sync.begin(), metadata.in_sync.end(), replica) != metadata.in_sync.end();
        // One that was just lost may count as in sync for another moment.
        const bool lost =
            !home.env().files.info(names::partition_directory(home.log_directory(replica), health.partition));
        if (!in || lost) health.missing.push_back(replica);
      }
      all.push_back(std::move(health));
    }
  }
  return all;
}

namespace {

// As it looks at one moment: whether a broker hangs takes longer to see, and is the controller's to notice.
ClusterHealth health_now(const Home& home) {
  HealthWatch watch;
  ClusterHealth health = watch.look(read_signs(home), Duration::max(), home.env().clock.now());
  for (auto& [broker, state] : health) {
    if (state == BrokerHealth::starting) state = BrokerHealth::dead;
  }
  return health;
}

}  // namespace

Result<std::optional<PartitionMetadata>> elect_leader(const Home& home, const TopicMetadata& topic,
                                                      PartitionId partition, bool unclean, Deadline deadline) {
  DiskTopic disk(home, topic.name);
  for (;;) {
    PG_ASSIGN(const TopicMetadata now, disk.metadata());
    if (now.id != topic.id) return fail(Errc::not_found, fmt::format("topic '{}' was deleted", topic.name));
    const PartitionMetadata& metadata = now.partitions[static_cast<size_t>(partition.value)];
    if (!metadata.is_replicated() || (!unclean && metadata.leader == metadata.replicas.front())) return std::nullopt;
    const ClusterHealth health = health_now(home);
    const PartitionView view = look_at(disk, metadata, partition, true);
    if (unclean) {
      PartitionMemory memory;
      PG_ASSIGN(const ClusterConfig config, to_cluster_config({}));
      const auto led = std::any_of(view.replicas.begin(), view.replicas.end(),
                                   [&](const auto& r) { return r.leads && r.epoch == metadata.leader_epoch; });
      const bool alive = is_working(health.at(metadata.leader));
      if (led && alive) return std::nullopt;
      // Whoever can be elected without loss will be, by the controller.
      if (plan_partition(view, health, config, memory, home.env().clock.now())) {
        return fail(Errc::busy,
                    fmt::format("'{}-{}' is about to get a leader that lacks nothing", topic.name, partition.value));
      }
    }
    auto action = unclean ? plan_unclean_election(view, health) : plan_preferred_election(view, health);
    if (!action) {
      const char* const why = unclean ? "no broker that runs has a replica of it"
                                      : "its preferred leader is not in sync, or that one's broker does not run";
      return fail(Errc::busy, fmt::format("'{}-{}' cannot get another leader: {}", topic.name, partition.value, why));
    }
    PG_ASSIGN(const bool done, carry_out(disk, now, {{partition, *action}}));
    if (done) return action->changed;
    if (home.env().clock.now() >= deadline)
      return fail(Errc::timed_out, fmt::format("the metadata of '{}' changes all the time", topic.name));
  }
}

namespace {

class LockList {
 public:
  explicit LockList(const Home& home) : home_(home) {}
  // One byte of a lock file, if somebody holds it. `since_ms`: 0 if nobody has noted it.
  void look(const std::string& path, uint32_t byte, const std::string& what, int64_t since_ms) {
    const auto file = home_.env().files.open_lock(path, Access::read_only);
    if (!file || !(*file)->is_held(byte).value_or(false)) return;
    const auto info = (*file)->info();
    locks.push_back({what, info ? lock_holder(*info, byte) : std::nullopt,
                     since_ms == 0 ? std::nullopt : std::optional(since_ms), path});
  }
  void look_at_replica(const TopicMetadata& topic, PartitionId partition, BrokerId replica);

  std::vector<HeldLockDescription> locks;

 private:
  const Home& home_;
};

void LockList::look_at_replica(const TopicMetadata& topic, PartitionId partition, BrokerId replica) {
  const std::string path =
      names::partition_lock(names::partition_directory(home_.log_directory(replica), {topic.name, partition}));
  int64_t append_ms = 0, flush_ms = 0, compaction_ms = 0;
  const auto spec = home_.replica_spec(topic, partition, replica, Access::read_only);
  const auto log =
      spec ? PartitionLog::open(home_.env(), *spec, home_.env().clock.now()) : tl::unexpected(spec.error());
  if (log) {
    const auto state = (*log)->current_state();
    append_ms = state->page().holder_since_ms.load();
    flush_ms = state->page().flush_since_ms.load();
    compaction_ms = state->page().compaction_since_ms.load();
  }
  const auto where = fmt::format("{}-{} on broker {}", topic.name, partition.value, replica.value);
  look(path, lock_byte::kAppend, "append lock of " + where, append_ms);
  look(path, lock_byte::kFlush, "flush lock of " + where, flush_ms);
  look(path, lock_byte::kCompaction, "compaction of " + where, compaction_ms);
}

}  // namespace

Result<std::vector<HeldLockDescription>> describe_locks(const Home& home) {
  LockList list(home);
  const auto state = home.cluster_state();
  for (const BrokerId broker : home.broker_ids()) {
    const int64_t since_ms = state ? state->broker(broker).started_ms.load() : 0;
    list.look(names::broker_lock(home.path(), broker), broker_lock_byte::kRuns, fmt::format("broker {}", broker.value),
              since_ms);
  }
  PG_ASSIGN(const auto names, home.list_topics());
  for (const auto& name : names) {
    const auto topic = home.describe_topic(name);
    for (size_t p = 0; topic && p < topic->partitions.size(); ++p) {
      for (const BrokerId replica : topic->partitions[p].replicas)
        list.look_at_replica(*topic, PartitionId(static_cast<int32_t>(p)), replica);
    }
  }
  return std::move(list.locks);
}

}  // namespace pg
