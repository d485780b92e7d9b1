#include "core/store/home.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/broker_locks.h"
#include "core/format/checkpoint_text.h"
#include "core/format/path_names.h"
#include "core/log/log_directory.h"
#include "core/store/cluster_config.h"
#include "core/store/home_notes.h"
#include "core/store/metadata_json.h"

namespace pg {
namespace {

constexpr BrokerId kEmbeddedBroker{0};
constexpr size_t kProbeBytes = 4096;

std::string id_list(const std::vector<BrokerMetadata>& brokers) {
  std::string text;
  for (const auto& broker : brokers) text += fmt::format("{}{}", text.empty() ? "" : ", ", broker.id.value);
  return text;
}

// Whose the log directory is; empty where it does not say.
Result<std::optional<MetaProperties>> read_owner(FileSystem& files, const std::string& log_directory) {
  const auto text = files.read_all(names::meta_properties(log_directory));
  if (!text && text.error().code == Errc::not_found) return std::nullopt;
  PG_CHECK(text);
  PG_ASSIGN(const MetaProperties owner, parse_meta_properties(*text));
  return owner;
}

Error another_owner(const MetaProperties& owner, bool of_this_cluster, const std::string& path) {
  return {Errc::already_exists,
          fmt::format("the log directory belongs to broker {} of {} cluster", owner.broker.value,
                      of_this_cluster ? "this" : "another"),
          path,
          {},
          0};
}

// Whether a process died while it made this log directory in the home, before it stored the owner. An empty directory
// in a home that has topics may be a disk that is not mounted.
bool is_half_made(FileSystem& files, const std::string& home, BrokerId broker) {
  const std::string logs = names::log_directory(home, broker);
  if (files.info(names::meta_properties(logs))) return false;
  const auto entries = files.list(logs), topics = files.list(names::topics_directory(home));
  return entries && topics && (!entries->empty() || topics->empty());
}

// Those on the way to `path` that do not exist, outermost first.
std::vector<std::string> missing_directories(FileSystem& files, const std::string& path) {
  std::vector<std::string> missing;
  for (std::string at = path; !files.info(at) && at != parent_path(at); at = parent_path(at)) missing.push_back(at);
  std::reverse(missing.begin(), missing.end());
  return missing;
}

// Makes the directory, and writes as much as a cluster writes first. `made` gets the directories that did not exist.
Result<> try_log_directory(FileSystem& files, const std::string& path, std::vector<std::string>& made) {
  const auto missing = missing_directories(files, path);
  made.insert(made.end(), missing.begin(), missing.end());
  PG_CHECK(files.make_directories(path));
  const std::string probe = names::disk_probe(path);
  const auto tried = [&]() -> Result<> {
    PG_ASSIGN(const auto file, files.open(probe, OpenMode::create));
    PG_CHECK(file->write_at(0, std::vector<std::byte>(kProbeBytes)));
    return file->sync();
  }();
  const auto removed = files.unlink(probe);
  PG_CHECK(tried);
  return removed;
}

}  // namespace

Result<std::unique_ptr<Home>> Home::open(const Env& env, const std::string& path, const IfNoHome& if_none) {
  std::string plain = path;
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  std::unique_ptr<Home> home(new Home(env, plain, if_none));
  PG_CHECK(home->open_cluster());
  return home;
}

Result<> Home::open_cluster() {
  PG_ASSIGN(const auto stored, VersionedFile(env_, names::cluster_file(path_)).read());
  if (!stored && !if_none_.make) return tl::unexpected(no_home(env_, path_));
  if (!stored) return may_make_home(env_, path_, if_none_);
  auto taken = take_cluster(*stored);
  if (!taken && taken.error().code == Errc::corrupt && if_none_.by_name) {
    damaged_version_ = stored->version;
    return {};
  }
  PG_CHECK(taken);
  HomeNotes(env_, path_).leave(cluster_);
  return {};
}

Result<> Home::take_cluster(const VersionedContent& stored) const {
  // Locks and maps are only trusted on local file systems.
  PG_ASSIGN(const std::string remote, env_.files.remote_type(path_));
  if (!remote.empty()) {
    return fail(Errc::io,
                fmt::format("the home is on {}, which is not supported yet: use --home with a local disk", remote),
                path_);
  }
  PG_ASSIGN(auto cluster, read_cluster(env_, path_, stored));
  PG_CHECK(check_directories(cluster));
  read_only_ = cluster.read_only;
  const std::lock_guard guard(mutex_);
  cluster_ = std::move(cluster);
  made_ = true;
  return {};
}

// A link would lead to a place outside of this home. A missing directory is noticed by the call that needs it.
Result<> Home::check_directories(const ClusterMetadata& cluster) const {
  std::vector<std::string> expected{names::topics_directory(path_), names::brokers_directory(path_),
                                    names::locks_directory(path_), names::groups_directory(path_),
                                    names::logs_directory(path_)};
  for (const auto& broker : cluster.brokers) {
    if (broker.log_directory.empty()) expected.push_back(names::log_directory(path_, broker.id));
  }
  for (const auto& directory : expected) {
    const auto info = env_.files.info(directory);
    if (!info || info->kind != FileKind::symbolic_link) continue;
    Error error = wrong_kind(info->kind, FileKind::directory, directory);
    error.what += ": links are not followed; move the directory here, or mount its disk here";
    return tl::unexpected(std::move(error));
  }
  return {};
}

Result<ClusterMetadata> Home::read_cluster(const Env& env, const std::string& path, const VersionedContent& stored) {
  const VersionedFile file(env, names::cluster_file(path));
  auto cluster = parse_cluster(stored.content);
  if (!cluster) {
    Error error = cluster.error();
    if (error.path.empty()) error.path = names::versioned(file.path(), stored.version);
    if (error.code == Errc::corrupt) error.what += ": 'pg-cluster init' makes it again from the log directories";
    return tl::unexpected(std::move(error));
  }
  cluster->version = stored.version;
  return cluster;
}

Result<ClusterMetadata> Home::describe_cluster() const {
  PG_ASSIGN(const auto stored, VersionedFile(env_, names::cluster_file(path_)).read());
  if (!stored && made_) return fail(Errc::io, "the home is gone: is its disk mounted?", path_);
  if (stored && made_) {
    PG_ASSIGN(auto cluster, read_cluster(env_, path_, *stored));
    const std::lock_guard guard(mutex_);
    cluster_ = std::move(cluster);
  } else if (stored) {
    PG_CHECK(take_cluster(*stored));  // another process has made it meanwhile
  }
  const std::lock_guard guard(mutex_);
  return cluster_;
}

Result<> Home::check_writable() const {
  if (!read_only_) return {};
  return fail(Errc::unsupported_version,
              "this home was changed by a newer version of pilgrimage: this one may only read it", path_);
}

Result<> Home::make() {
  if (made_) return {};
  const std::lock_guard guard(making_);
  constexpr int kAttempts = 3;
  for (int attempt = 1; !made_; ++attempt) {
    PG_CHECK(describe_cluster());  // another process may have been faster
    if (made_) break;
    PG_CHECK(may_make_home(env_, path_, if_none_));  // again: open() may have been long ago
    const auto done = make_cluster();
    // Another process that made it at the same time may have failed, and removed the directories.
    const bool again = !done && done.error().code == Errc::not_found && attempt < kAttempts;
    if (!done && !again) return done;
  }
  return {};
}

Result<> Home::make_cluster() {
  std::vector<std::string> made;
  const auto make = [&]() -> Result<> {
    PG_CHECK(make_directories(made));
    const ClusterMetadata cluster{env_.random.uuid(), {{kEmbeddedBroker}}};
    VersionedFile file(env_, names::cluster_file(path_));
    PG_ASSIGN(const bool first, file.compare_and_swap(0, write_cluster(cluster)));
    PG_ASSIGN(const auto stored, file.read());
    if (!stored) return fail(Errc::io, "it was removed meanwhile", path_);
    PG_CHECK(make_directories(made));
    const std::string logs = names::log_directory(path_, kEmbeddedBroker);
    if (first)
      PG_CHECK(env_.files.replace(names::meta_properties(logs), write_meta_properties(kEmbeddedBroker, cluster.id)));
    return take_cluster(*stored);
  };
  auto done = make();
  if (done) {
    const HomeNotes notes(env_, path_);
    notes.leave(cluster_);
    notes.forget_others(cluster_.id);
    return done;
  }
  const auto stored = VersionedFile(env_, names::cluster_file(path_)).latest_version();
  for (size_t i = made.size(); stored && *stored == 0 && i-- > 0;) (void)env_.files.remove_directory(made[i]);
  done.error().what.insert(0, "cannot make the home: ");
  return done;
}

// `made` gets the directories that did not exist, outermost first.
Result<> Home::make_directories(std::vector<std::string>& made) const {
  for (const auto& directory : {names::log_directory(path_, kEmbeddedBroker), names::topics_directory(path_)}) {
    const auto missing = missing_directories(env_.files, directory);
    made.insert(made.end(), missing.begin(), missing.end());
    PG_CHECK(env_.files.make_directories(directory));
  }
  return {};
}

Result<> Home::init(const Env& env, const std::string& path, const std::vector<BrokerMetadata>& brokers,
                    const ConfigMap& config, const std::string& base) {
  PG_CHECK(to_cluster_config(config));
  if (brokers.empty() || std::cmp_greater(brokers.size(), kBrokersMax)) {
    return fail(Errc::invalid_argument,
                fmt::format("a cluster has 1 to {} brokers, not {}", kBrokersMax, brokers.size()));
  }
  PG_ASSIGN(const auto home, open(env, path, {.base = base, .by_name = true}));
  PG_CHECK(home->check_writable());
  PG_CHECK(home->check_new_log_directories(brokers));
  PG_CHECK(home->try_log_directories(brokers));
  if (!home->is_made() && (home->damaged_version_ > 0 || is_metadata_lost(env, path)))
    PG_CHECK(home->restore_cluster(brokers, config));
  PG_CHECK(home->make());
  PG_CHECK(home->add_brokers(brokers, config));
  HomeNotes(env, path).leave(home->cluster_, true);
  return {};
}

// Before anything is made.
Result<> Home::check_new_log_directories(const std::vector<BrokerMetadata>& brokers) const {
  for (const auto& broker : brokers) {
    if (broker.log_directory.empty()) continue;
    if (!made_ && broker.id == kEmbeddedBroker) {
      return fail(Errc::already_exists,
                  fmt::format("broker {} has the log directory {}: only the others can get another one",
                              broker.id.value, names::log_directory(path_, broker.id)));
    }
    PG_CHECK(may_make_log_directory(env_, broker.log_directory));
    PG_ASSIGN(const auto owner, read_owner(env_.files, broker.log_directory));
    if (!owner) continue;
    const bool ours = made_ ? owner->cluster_id == cluster_.id : damaged_version_ > 0 || is_metadata_lost(env_, path_);
    if (!ours || owner->broker != broker.id) return tl::unexpected(another_owner(*owner, ours, broker.log_directory));
  }
  return {};
}

// A disk that is full or cannot be written to is found before a home is made for it.
Result<> Home::try_log_directories(const std::vector<BrokerMetadata>& brokers) const {
  std::vector<std::string> made;
  for (const auto& broker : brokers) {
    if (broker.log_directory.empty() || cluster_.find(broker.id) != nullptr) continue;
    const auto tried = try_log_directory(env_.files, broker.log_directory, made);
    if (tried) continue;
    for (size_t i = made.size(); i-- > 0;) (void)env_.files.remove_directory(made[i]);
    return tried;
  }
  return {};
}

// Makes the lost metadata of a home from what its log directories say.
Result<> Home::restore_cluster(const std::vector<BrokerMetadata>& brokers, const ConfigMap& config) {
  const std::string path = names::versioned(names::cluster_file(path_), std::max<int64_t>(damaged_version_, 1));
  std::optional<Uuid> id;
  for (const auto& broker : brokers) {
    const std::string logs =
        broker.log_directory.empty() ? names::log_directory(path_, broker.id) : broker.log_directory;
    PG_ASSIGN(const auto owner, read_owner(env_.files, logs));
    if (!owner) continue;
    if (owner->broker != broker.id || (id && owner->cluster_id != *id))
      return tl::unexpected(another_owner(*owner, false, logs));
    id = owner->cluster_id;
  }
  if (!id)
    return fail(Errc::corrupt, "the metadata of the home is lost, and no log directory says which cluster it was",
                path);
  const auto inside = env_.files.list(names::brokers_directory(path_));
  for (size_t i = 0; inside && i < inside->size(); ++i) {
    const auto number = parse_integer((*inside)[i]);
    const bool named = number && std::any_of(brokers.begin(), brokers.end(),
                                             [&](const auto& broker) { return broker.id.value == *number; });
    if (!named)
      return fail(Errc::conflict,
                  fmt::format("the home has the log directory of a broker {} too: name as many brokers as there were",
                              (*inside)[i]),
                  path_);
  }
  VersionedFile file(env_, names::cluster_file(path_));
  PG_CHECK(file.compare_and_swap(damaged_version_, write_cluster({*id, brokers, config})));
  PG_ASSIGN(const auto stored, file.read());
  PG_CHECK(env_.files.make_directories(names::topics_directory(path_)));
  env_.notice(
      fmt::format("the metadata of cluster {} was lost, and was made again from its log directories: configs of the "
                  "cluster are the default again",
                  uuid_text(*id)));
  return stored ? take_cluster(*stored) : fail(Errc::io, "it was removed meanwhile", path_);
}

Result<> Home::add_brokers(const std::vector<BrokerMetadata>& brokers, const ConfigMap& config) {
  for (;;) {
    PG_ASSIGN(ClusterMetadata cluster, describe_cluster());
    for (const auto& known : cluster.brokers) {
      const bool stays =
          std::any_of(brokers.begin(), brokers.end(), [&](const auto& broker) { return broker.id == known.id; });
      if (!stays)
        return fail(Errc::invalid_argument,
                    fmt::format("the cluster has the brokers {}: none can be removed", id_list(cluster.brokers)));
    }
    const size_t had = cluster.brokers.size();
    for (const auto& broker : brokers) {
      const BrokerMetadata* known = cluster.find(broker.id);
      if (known == nullptr) {
        PG_CHECK(make_log_directory(broker, cluster.id));
        cluster.brokers.push_back(broker);
      } else if (!broker.log_directory.empty()) {
        const std::string has = log_directory(broker.id);
        if (has != broker.log_directory)
          return fail(Errc::already_exists,
                      fmt::format("broker {} has the log directory {} already", broker.id.value, has));
        PG_CHECK(make_log_directory(
            *known, cluster.id));  // a lost one: a user who names it agrees that it is made again, empty
      } else if (known->log_directory.empty() && is_half_made(env_.files, path_, known->id)) {
        PG_CHECK(make_log_directory(*known, cluster.id));
      }
    }
    std::sort(cluster.brokers.begin(), cluster.brokers.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    const ConfigMap before = cluster.config;
    for (const auto& [name, value] : config) cluster.config[name] = value;
    PG_CHECK(to_cluster_config(cluster.config));
    if (cluster.brokers.size() == had && cluster.config == before) return {};
    PG_ASSIGN(
        const bool first,
        VersionedFile(env_, names::cluster_file(path_)).compare_and_swap(cluster.version, write_cluster(cluster)));
    if (!first) continue;
    return describe_cluster().map([](const auto&) {});
  }
}

// What says whose it is comes first: a directory that a cluster names always has it.
Result<> Home::make_log_directory(const BrokerMetadata& broker, const Uuid& cluster) const {
  const std::string path = broker.log_directory.empty() ? names::log_directory(path_, broker.id) : broker.log_directory;
  if (!broker.log_directory.empty()) PG_CHECK(may_make_log_directory(env_, path));
  PG_CHECK(broker.log_directory.empty() ? env_.files.make_directories_in(path_, path)
                                        : env_.files.make_directories(path));
  PG_ASSIGN(const auto owner, read_owner(env_.files, path));
  if (!owner) return env_.files.replace(names::meta_properties(path), write_meta_properties(broker.id, cluster));
  if (*owner == MetaProperties{broker.id, cluster}) return {};
  return tl::unexpected(another_owner(*owner, owner->cluster_id == cluster, path));
}

Result<ClusterMetadata> Home::alter_cluster(const ConfigMap& set) const {
  PG_CHECK(check_writable());
  for (;;) {
    PG_ASSIGN(ClusterMetadata cluster, describe_cluster());
    const ConfigMap before = cluster.config;
    for (const auto& [name, value] : set) cluster.config[name] = value;
    PG_CHECK(to_cluster_config(cluster.config));
    if (cluster.config == before) return cluster;
    PG_ASSIGN(
        const bool first,
        VersionedFile(env_, names::cluster_file(path_)).compare_and_swap(cluster.version, write_cluster(cluster)));
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
  return fail(Errc::not_found,
              fmt::format("there is no broker {}: the cluster has {}", broker.value, id_list(cluster.brokers)));
}

Result<> Home::check_log_directory(BrokerId broker) const {
  const std::string path = log_directory(broker);
  PG_ASSIGN(const auto owner, read_owner(env_.files, path));
  if (!owner) {
    return fail(Errc::not_found,
                fmt::format("the log directory of broker {} has no meta.properties: is its disk mounted? If it is "
                            "lost, 'pg-cluster init' with --log-dir writes it again",
                            broker.value),
                path);
  }
  const std::lock_guard guard(mutex_);
  if (*owner == MetaProperties{broker, cluster_.id}) return {};
  return tl::unexpected(another_owner(*owner, owner->cluster_id == cluster_.id, path));
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
  const bool is_gone = !env_.files.info(names::topics_directory(path_));
  if (!wanted || is_gone) return nullptr;
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
