#include "core/store/home.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/broker_locks.h"
#include "core/format/checkpoint_text.h"
#include "core/format/path_names.h"
#include "core/log/log_directory.h"
#include "core/store/cluster_config.h"
#include "core/store/metadata_json.h"

namespace pg {
namespace {

constexpr BrokerId kEmbeddedBroker{0};

std::string id_list(const std::vector<BrokerMetadata>& brokers) {
  std::string text;
  for (const auto& broker : brokers) text += fmt::format("{}{}", text.empty() ? "" : ", ", broker.id.value);
  return text;
}

}  // namespace

Result<std::unique_ptr<Home>> Home::open(const Env& env, const std::string& path) {
  std::unique_ptr<Home> home(new Home(env, path));
  PG_CHECK(home->open_cluster());
  return home;
}

Result<> Home::open_cluster() {
  VersionedFile file(env_, names::cluster_file(path_));
  PG_ASSIGN(auto stored, file.read());
  if (!stored) {
    PG_CHECK(make_cluster());
    PG_ASSIGN(stored, file.read());
  }
  // Locks and maps are only trusted on local file systems.
  PG_ASSIGN(const std::string remote, env_.files.remote_type(path_));
  if (!remote.empty()) {
    return fail(Errc::io, fmt::format("the home is on {}, which is not supported yet: use --home with a local disk", remote), path_);
  }
  if (!stored) return fail(Errc::io, "cannot make the home", path_);
  PG_ASSIGN(cluster_, read_cluster(env_, path_, *stored));
  read_only_ = cluster_.read_only;
  return {};
}

Result<ClusterMetadata> Home::read_cluster(const Env& env, const std::string& path, const VersionedContent& stored) {
  const VersionedFile file(env, names::cluster_file(path));
  auto cluster = parse_cluster(stored.content);
  if (!cluster) {
    if (cluster.error().path.empty()) cluster.error().path = names::versioned(file.path(), stored.version);
    return cluster;
  }
  cluster->version = stored.version;
  return cluster;
}

Result<ClusterMetadata> Home::describe_cluster() const {
  PG_ASSIGN(const auto stored, VersionedFile(env_, names::cluster_file(path_)).read());
  if (!stored) return fail(Errc::not_found, "the home is gone", path_);
  PG_ASSIGN(auto cluster, read_cluster(env_, path_, *stored));
  const std::lock_guard guard(mutex_);
  cluster_ = cluster;
  return cluster;
}

Result<> Home::check_writable() const {
  if (!read_only_) return {};
  return fail(Errc::unsupported_version, "this home was changed by a newer version of pilgrimage: this one may only read it", path_);
}

Result<> Home::make_cluster() {
  const std::string logs = names::log_directory(path_, kEmbeddedBroker);
  for (const auto& directory : {logs, names::topics_directory(path_)}) {
    const auto made = env_.files.make_directories(directory);
    if (!made) return fail(Errc::io, "cannot make the home: " + made.error().what, made.error().path, {}, made.error().sys_errno);
  }
  PG_ASSIGN(const std::string remote, env_.files.remote_type(path_));
  if (!remote.empty()) return {};  // refused by the caller, before anything is stored
  ClusterMetadata cluster{env_.random.uuid(), {{kEmbeddedBroker}}};
  VersionedFile file(env_, names::cluster_file(path_));
  PG_ASSIGN(const bool first, file.compare_and_swap(0, write_cluster(cluster)));
  if (!first) return {};
  return env_.files.replace(names::meta_properties(logs), write_meta_properties(kEmbeddedBroker, cluster.id));
}

Result<> Home::init(const Env& env, const std::string& path, const std::vector<BrokerMetadata>& brokers, const ConfigMap& config) {
  PG_CHECK(to_cluster_config(config));
  if (brokers.empty() || std::cmp_greater(brokers.size(), kBrokersMax)) {
    return fail(Errc::invalid_argument, fmt::format("a cluster has 1 to {} brokers, not {}", kBrokersMax, brokers.size()));
  }
  PG_ASSIGN(const auto home, open(env, path));
  PG_CHECK(home->check_writable());
  for (;;) {
    PG_ASSIGN(ClusterMetadata cluster, home->describe_cluster());
    for (const auto& known : cluster.brokers) {
      const bool stays = std::any_of(brokers.begin(), brokers.end(), [&](const auto& broker) { return broker.id == known.id; });
      if (!stays) return fail(Errc::invalid_argument, fmt::format("the cluster has the brokers {}: none can be removed", id_list(cluster.brokers)));
    }
    const size_t had = cluster.brokers.size();
    for (const auto& broker : brokers) {
      const BrokerMetadata* known = cluster.find(broker.id);
      if (known == nullptr) {
        PG_CHECK(home->make_log_directory(broker, cluster.id));
        cluster.brokers.push_back(broker);
      } else if (!broker.log_directory.empty()) {
        const std::string has = home->log_directory(broker.id);
        if (has != broker.log_directory) return fail(Errc::already_exists, fmt::format("broker {} has the log directory {} already", broker.id.value, has));
        PG_CHECK(home->make_log_directory(*known, cluster.id));  // one that was lost: who names it says that it may be made anew
      }
    }
    std::sort(cluster.brokers.begin(), cluster.brokers.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    const ConfigMap before = cluster.config;
    for (const auto& [name, value] : config) cluster.config[name] = value;
    PG_CHECK(to_cluster_config(cluster.config));
    if (cluster.brokers.size() == had && cluster.config == before) return {};
    PG_ASSIGN(const bool first, VersionedFile(env, names::cluster_file(path)).compare_and_swap(cluster.version, write_cluster(cluster)));
    if (first) return {};
  }
}

// What says whose it is comes first: a directory that a cluster names always has it.
Result<> Home::make_log_directory(const BrokerMetadata& broker, const Uuid& cluster) const {
  const std::string path = broker.log_directory.empty() ? names::log_directory(path_, broker.id) : broker.log_directory;
  PG_CHECK(env_.files.make_directories(path));
  PG_ASSIGN(const std::string remote, env_.files.remote_type(path));
  if (!remote.empty()) return fail(Errc::io, fmt::format("the log directory is on {}, which is not supported yet", remote), path);
  const std::string properties = names::meta_properties(path);
  const auto text = env_.files.read_all(properties);
  if (!text && text.error().code == Errc::not_found) return env_.files.replace(properties, write_meta_properties(broker.id, cluster));
  PG_CHECK(text);
  PG_ASSIGN(const MetaProperties owner, parse_meta_properties(*text));
  if (owner == MetaProperties{broker.id, cluster}) return {};
  return fail(Errc::already_exists, fmt::format("the log directory belongs to broker {} of {} cluster", owner.broker.value,
                                                owner.cluster_id == cluster ? "this" : "another"), path);
}

Result<ClusterMetadata> Home::alter_cluster(const ConfigMap& set) const {
  PG_CHECK(check_writable());
  for (;;) {
    PG_ASSIGN(ClusterMetadata cluster, describe_cluster());
    const ConfigMap before = cluster.config;
    for (const auto& [name, value] : set) cluster.config[name] = value;
    PG_CHECK(to_cluster_config(cluster.config));
    if (cluster.config == before) return cluster;
    PG_ASSIGN(const bool first, VersionedFile(env_, names::cluster_file(path_)).compare_and_swap(cluster.version, write_cluster(cluster)));
    if (first) {
      announce_metadata();
      return cluster;
    }
  }
}

Result<BrokerMetadata> Home::find_broker(BrokerId broker) const {
  PG_ASSIGN(const ClusterMetadata cluster, describe_cluster());
  const BrokerMetadata* found = cluster.find(broker);
  if (found != nullptr) return *found;
  return fail(Errc::not_found, fmt::format("there is no broker {}: the cluster has {}", broker.value, id_list(cluster.brokers)));
}

Result<> Home::check_log_directory(BrokerId broker) const {
  const std::string path = log_directory(broker);
  const auto text = env_.files.read_all(names::meta_properties(path));
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::not_found, fmt::format("the log directory of broker {} has no meta.properties: is its disk mounted? If it is lost, 'pg-cluster init' with --log-dir makes it anew", broker.value), path);
  }
  PG_CHECK(text);
  PG_ASSIGN(const MetaProperties owner, parse_meta_properties(*text));
  const std::lock_guard guard(mutex_);
  if (owner == MetaProperties{broker, cluster_.id}) return {};
  return fail(Errc::already_exists, fmt::format("the log directory belongs to broker {} of {} cluster", owner.broker.value,
                                                owner.cluster_id == cluster_.id ? "this" : "another"), path);
}

Result<bool> Home::is_broker_alive(BrokerId broker) const {
  PG_ASSIGN(const auto lock, broker_lock(broker));
  if (!lock) return false;  // it never ran
  PG_ASSIGN(const bool held, lock->is_held(broker_lock_byte::kServes));
  if (held) return true;
  // Somebody may have deleted the file, and the broker made another one.
  PG_ASSIGN(const FileInfo info, lock->info());
  if (info.links > 0) return false;
  {
    const std::lock_guard guard(mutex_);
    if (broker_locks_[broker] == lock) broker_locks_[broker] = nullptr;
  }
  PG_ASSIGN(const auto now, broker_lock(broker));
  return now ? now->is_held(broker_lock_byte::kServes) : Result<bool>(false);
}

// Null: there is none.
Result<std::shared_ptr<LockFile>> Home::broker_lock(BrokerId broker) const {
  std::shared_ptr<LockFile> lock;
  {
    const std::lock_guard guard(mutex_);
    lock = broker_locks_[broker];
  }
  if (!lock) {
    auto opened = env_.files.open_lock(names::broker_lock(path_, broker), Access::read_only);
    if (!opened && opened.error().code == Errc::not_found) return nullptr;
    PG_CHECK(opened);
    lock = std::move(*opened);
    const std::lock_guard guard(mutex_);
    broker_locks_[broker] = lock;
  }
  return lock;
}

std::shared_ptr<ClusterState> Home::cluster_state() const {
  {
    const std::lock_guard guard(mutex_);
    if (cluster_state_ && !cluster_state_->is_stale()) return cluster_state_;
  }
  const bool wanted = broker_ids().size() > 1 || env_.files.info(names::cluster_state(path_)).has_value();
  if (!wanted) return nullptr;
  auto opened = ClusterState::open(env_, path_);
  const std::lock_guard guard(mutex_);
  cluster_state_ = opened ? std::shared_ptr<ClusterState>(std::move(*opened)) : nullptr;
  return cluster_state_;
}

void Home::announce_metadata() const {
  if (const auto state = cluster_state()) state->announce_metadata();
}

std::vector<BrokerId> Home::broker_ids() const {
  const std::lock_guard guard(mutex_);
  std::vector<BrokerId> ids;
  for (const auto& broker : cluster_.brokers) ids.push_back(broker.id);
  return ids;
}

std::string Home::log_directory(BrokerId broker) const {
  const auto known = [&]() -> std::optional<std::string> {
    const std::lock_guard guard(mutex_);
    const BrokerMetadata* found = cluster_.find(broker);
    if (found == nullptr) return std::nullopt;
    return found->log_directory.empty() ? names::log_directory(path_, broker) : found->log_directory;
  };
  auto path = known();
  // One that was added since this home was opened.
  if (!path && describe_cluster()) path = known();
  return path.value_or(names::log_directory(path_, broker));
}

}  // namespace pg
