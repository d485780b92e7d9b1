#include "core/log/partition_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/path_names.h"
#include "core/log/log_recovery.h"

namespace pg {
namespace {

Result<> write_file(FileSystem& files, const std::string& path, std::string_view content) {
  PG_ASSIGN(const auto file, files.open(path, OpenMode::create_new));
  PG_CHECK(file->write_at(0, as_bytes(content)));
  return file->sync();
}

std::string name_of(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition.value);
}

// Makes an empty partition under a name of its own. The maker holds the lock meanwhile, so that no other process
// removes the directory as a leftover. not_found: a process removed the directory before the lock was taken.
Result<std::unique_ptr<LockFile>> fill_new_directory(const Env& env, const std::string& made, const Uuid& topic_id,
                                                     const NewPartition& making) {
  PG_CHECK(env.files.make_directory(made));
  PG_ASSIGN(auto lock, env.files.open_lock(names::partition_lock(made), Access::read_write));
  PG_ASSIGN(const bool locked, lock->try_lock(lock_byte::kMaking, LockMode::exclusive));
  if (!locked) return fail(Errc::not_found, "cleared away", made);
  PG_CHECK(write_file(env.files, names::partition_metadata(made), write_partition_metadata(topic_id)));
  // With more than one replica, the first epoch too is opened by a broker.
  const EpochHistory epochs = making.replicated ? EpochHistory{} : EpochHistory{{LeaderEpoch(0), Offset(0)}};
  PG_CHECK(write_file(env.files, names::epoch_checkpoint(made), write_epoch_history(epochs)));
  const LeaderEpoch epoch(making.replicated ? -1 : 0);
  PG_CHECK(PartitionState::write_page(
      env, made, {.leader_epoch = epoch, .replicated = making.replicated, .unclean = making.unclean}));
  PG_CHECK(create_segment(env.files, made, Offset(0)));  // syncs the directory
  return lock;
}

// When any file of the partition was last touched.
std::optional<int64_t> latest_change_ms(FileSystem& files, const std::string& directory) {
  std::optional<int64_t> latest;
  const auto entries = files.list(directory);
  if (!entries) return {};
  for (const auto& entry : *entries) {
    const auto info = files.info(directory + "/" + entry);
    if (info) latest = std::max(latest.value_or(info->changed_ms), info->changed_ms);
  }
  return latest;
}

Result<Uuid> read_topic_id(FileSystem& files, const std::string& directory) {
  const std::string path = names::partition_metadata(directory);
  PG_ASSIGN(const std::string text, files.read_all(path));
  auto id = parse_partition_metadata(text);
  if (!id) id.error().path = path;
  return id;
}

}  // namespace

PartitionLog::PartitionLog(const Env& env, Spec spec)
    : env_(env),
      spec_(std::move(spec)),
      name_(name_of(spec_.partition)),
      directory_(names::partition_directory(spec_.log_directory, spec_.partition)),
      process_(env.process()),
      config_(spec_.config),
      config_version_(spec_.config_version) {}

Result<Uuid> PartitionLog::create(const Env& env, const std::string& log_directory, const TopicPartition& partition,
                                  const Uuid& topic_id, const NewPartition& making) {
  // Each process that makes a topic meanwhile may clear the directory away once, before it has its lock.
  constexpr int kAttempts = 1000;
  const std::string path = names::partition_directory(log_directory, partition);
  for (int attempt = 1; !env.files.info(path); ++attempt) {
    const std::string made = names::new_partition_directory(log_directory, partition, env.random.uuid());
    const auto lock = fill_new_directory(env, made, topic_id, making);
    const auto named = lock ? env.files.rename(made, path) : tl::unexpected(lock.error());
    if (named) break;
    (void)env.files.remove_tree(made);
    if (named.error().code == Errc::already_exists) break;
    if (named.error().code != Errc::not_found || attempt == kAttempts) return tl::unexpected(named.error());
  }
  if (const auto info = env.files.info(path); info && !info->is_directory)
    return tl::unexpected(wrong_kind(info->kind, FileKind::directory, path));
  // Whoever gave it its name may have died before that was on the disk.
  PG_CHECK(env.files.sync_directory(log_directory));
  return read_topic_id(env.files, path);
}

LogConfig PartitionLog::config() const {
  const std::lock_guard guard(state_mutex_);
  return config_;
}

void PartitionLog::announce_config(PartitionState& state, int64_t version) const {
  auto& word = state.page().config_version;
  for (int64_t seen = word.load(); seen < version && !word.compare_exchange_weak(seen, version);) {
  }
}

Result<> PartitionLog::refresh_config(bool in_any_case) {
  if (!spec_.read_config) return {};
  {
    const std::lock_guard guard(state_mutex_);
    const bool changed = state_ && state_->page().config_version.load(std::memory_order_relaxed) > config_version_;
    if (!changed && !in_any_case) return {};
  }
  auto read = spec_.read_config();
  if (!read && read.error().code == Errc::not_found) return {};  // the append will say so better
  PG_CHECK(read);
  const std::lock_guard guard(state_mutex_);
  if (read->version < config_version_) return {};
  config_ = read->config;
  config_version_ = read->version;
  return {};
}

Result<std::unique_ptr<PartitionLog>> PartitionLog::open(const Env& env, Spec spec, Deadline deadline) {
  std::unique_ptr<PartitionLog> log(new PartitionLog(env, std::move(spec)));
  PG_CHECK(log->state(deadline));
  return log;
}

// Whether the directory is there, is one, and belongs to the topic it was opened for.
Result<> PartitionLog::check_directory() const {
  const auto info = env_.files.info(directory_);
  if (!info && info.error().code == Errc::not_found) {
    return fail(Errc::not_found, fmt::format("partition '{}' does not exist", name_), directory_);
  }
  PG_CHECK(info);
  if (!info->is_directory) {
    return fail(Errc::io,
                fmt::format("partition '{}' is not a directory but {}{}", name_, name_of(info->kind),
                            info->kind == FileKind::symbolic_link
                                ? ", which is not followed: move the directory here, or mount its disk here"
                                : ""),
                directory_);
  }
  const auto id = read_topic_id(env_.files, directory_);
  if (!id && id.error().code == Errc::not_found) {
    return fail(Errc::corrupt, fmt::format("partition '{}' has no partition.metadata", name_), directory_);
  }
  PG_CHECK(id);
  if (*id == spec_.topic_id) return {};
  return fail(Errc::not_found, fmt::format("partition '{}' was deleted and made again", name_), directory_);
}

Result<RecoverySpec> PartitionLog::recovery_spec(const Env& env, const Spec& spec) {
  const LogDirectory log_directory(env, spec.log_directory);
  PG_ASSIGN(const auto recovery_point, log_directory.recovery_point(spec.partition));
  PG_ASSIGN(const auto log_start, log_directory.log_start(spec.partition));
  RecoverySpec recovery{names::partition_directory(spec.log_directory, spec.partition), name_of(spec.partition),
                        recovery_point.value_or(Offset(0)), log_start, spec.config.index_interval_bytes};
  PG_ASSIGN(recovery.gaps_below, log_directory.gaps_below(spec.partition));
  PG_ASSIGN(recovery.flush_failed, env.files.exists(names::flush_failed(recovery.directory)));
  recovery.log_start_file = names::log_start_checkpoint(spec.log_directory);
  recovery.recovery_point_file = names::recovery_checkpoint(spec.log_directory);
  PG_ASSIGN(recovery.memory, PartitionState::remember(env, recovery.directory));
  recovery.are_lines_lost = !recovery_point || !log_start;
  if (!recovery_point && recovery.memory) recovery.recovery_point = recovery.memory->flushed;
  recovery.is_recovery_point_lost = !recovery_point && !recovery.memory;
  if (!log_start && recovery.memory) recovery.log_start = recovery.memory->log_start;
  if (!log_start && !recovery.memory) {
    env.notice(fmt::format(
        "the log start of '{}' is lost, so it begins at its first segment: records that were deleted from the start "
        "of that segment may be there again",
        recovery.name));
  }
  if (!spec.replicated) return recovery;
  recovery.replicated = true;
  PG_ASSIGN(recovery.high_watermark, log_directory.high_watermark(spec.partition));
  PG_ASSIGN(recovery.stopped_cleanly, log_directory.was_stopped_cleanly());
  return recovery;
}

// Makes the checkpoints say neither more than what is there, nor less than what recovery has found.
Result<> PartitionLog::correct_checkpoints(const RecoverySpec& recovery, const PageContent& content,
                                           Deadline deadline) const {
  LogDirectory log_directory(env_, spec_.log_directory);
  const Offset end = content.position.log_end;
  PG_ASSIGN(const Offset cleaned, log_directory.cleaned_to(spec_.partition));
  if (cleaned > end) PG_CHECK(log_directory.cut_at(spec_.partition, end, deadline));
  if (recovery.are_lines_lost) {
    PG_CHECK(log_directory.store_found(spec_.partition, content.position.log_start, content.flushed, deadline));
  }
  // What is damaged now must not look like a torn tail later, when only this page knew how far the log had gone.
  return content.after_damage ? log_directory.raise_recovery_points({{spec_.partition, end}}, deadline) : Result<>();
}

Result<std::shared_ptr<PartitionState>> PartitionLog::open_state(Deadline deadline) {
  PG_CHECK(check_directory());
  PartitionState::Spec state_spec{directory_, name_, spec_.access, {}};
  state_spec.rebuild = [this, deadline](const OldPage& old, Access access) -> Result<PageContent> {
    PG_ASSIGN(const RecoverySpec recovery, recovery_spec(env_, spec_));
    if (access == Access::read_only) return inspect_log(env_, recovery, old);
    const auto wall_seen_ms = latest_change_ms(env_.files, directory_);  // before recovery touches any file
    PG_ASSIGN(PageContent content, recover_log(env_, recovery, old));
    content.wall_seen_ms = wall_seen_ms;
    // Stored before a recovery point passes the gaps.
    if (content.gaps_below > recovery.gaps_below.value_or(Offset(0))) {
      PG_CHECK(LogDirectory(env_, spec_.log_directory).raise_gaps_below(spec_.partition, content.gaps_below, deadline));
    }
    PG_CHECK(correct_checkpoints(recovery, content, deadline));
    return content;
  };
  // A page that was just rebuilt is believed: it was computed from the files.
  for (bool rebuilt = false;; rebuilt = true) {
    PG_ASSIGN(auto state, PartitionState::open(env_, state_spec, deadline));
    PG_ASSIGN(const bool borne_out, rebuilt ? Result<bool>(true) : is_borne_out(*state));
    if (borne_out) return state;
    state_spec.is_contradicted = true;
  }
}

Result<std::shared_ptr<PartitionState>> PartitionLog::state(Deadline deadline) {
  auto state = current_state();
  if (state) {
    PG_ASSIGN(const bool stale, state->is_stale());
    PG_ASSIGN(const bool borne_out, stale || !is_due_for_a_look() ? Result<bool>(true) : is_borne_out(*state));
    if (!stale && borne_out) return state;
    PG_CHECK(state->check_not_deleted());
  }
  {
    // Let go of the old page before the new one is opened: rebuilding it needs that nobody has it mapped.
    const std::lock_guard guard(state_mutex_);
    if (state_ == state) state_.reset();
  }
  state.reset();
  PG_ASSIGN(state, open_state(deadline));
  openings_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard guard(state_mutex_);
  state_ = state;
  looked_ = env_.clock.now();
  return state;
}

std::shared_ptr<PartitionState> PartitionLog::current_state() const {
  const std::lock_guard guard(state_mutex_);
  return state_;
}

Result<> PartitionLog::remove(const Env& env, Spec spec, Deadline deadline) {
  PartitionLog log(env, std::move(spec));
  auto open = log.state(deadline);
  if (!open) {
    // Damaged beyond opening: nobody can have it open, so there is nobody to tell.
    const Errc why = open.error().code;
    const auto info = env.files.info(log.directory_);
    const bool is_no_directory = info && !info->is_directory;
    const bool damaged = why == Errc::corrupt || (why == Errc::io && (is_no_directory || log.check_directory()));
    return damaged ? log.remove_directory() : tl::unexpected(open.error());
  }
  PartitionState& state = **open;
  if (state.no_space()) return log.remove_directory();  // nobody can have mapped a page that cannot be made
  if (state.access() == Access::read_only) {
    return fail(Errc::io, fmt::format("cannot delete '{}': no permission to write", log.name_), log.directory_);
  }
  const auto append = HeldLock::acquire(state.locks(), lock_byte::kAppend, LockMode::exclusive, deadline);
  if (!append) return tl::unexpected(log.explain_lock_failure(append.error()));
  state.page().deleted.store(1, std::memory_order_seq_cst);
  state.wake_all();
  return log.remove_directory();
}

Result<> PartitionLog::remove_directory() const {
  const std::string doomed =
      names::deleted_partition_directory(spec_.log_directory, spec_.partition, env_.random.uuid());
  const auto renamed = env_.files.rename(directory_, doomed);
  // A full disk has no room for the new name. The topic's metadata already says that the topic is gone, and the next
  // process that deletes or makes the topic removes what is left.
  if (!renamed && renamed.error().code == Errc::no_space) return env_.files.remove_tree(directory_);
  PG_CHECK(renamed);
  PG_CHECK(env_.files.sync_directory(spec_.log_directory));
  return env_.files.remove_tree(
      doomed);  // what is left of it now or by a crash, LogDirectory::remove_leftovers() finds
}

}  // namespace pg
