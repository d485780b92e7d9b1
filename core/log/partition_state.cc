#include "core/log/partition_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "core/format/path_names.h"
#include "core/log/replica_words.h"
#include "core/os/boot.h"

namespace pg {
namespace {

constexpr uint32_t kKnownIncompatibleFeatures = StatePage::kHasGaps;
// How often an opener looks again while somebody else rebuilds the page.
constexpr Duration kRebuildPoll = std::chrono::milliseconds(5);

bool is_permission(const Error& error) {
  return error.sys_errno == EACCES || error.sys_errno == EROFS || error.sys_errno == EPERM;
}

// Whether it says what no process can have written. Flushed is read first: it is never beyond what is written.
bool is_spoilt(const StatePage& page) {
  const int64_t flushed = page.flushed.load(std::memory_order_acquire);
  return !is_position_whole(page) || flushed < 0 || Offset(flushed) > read_position(page).log_end;
}

void fill_page(StatePage& page, const PageContent& content, Clock& clock) {
  page.leader_epoch.store(content.leader_epoch.value, std::memory_order_relaxed);
  page.flushed.store(content.flushed.value, std::memory_order_relaxed);
  page.failed.store(content.failed, std::memory_order_relaxed);
  page.replicated.store(content.replicated, std::memory_order_relaxed);
  page.role.store(static_cast<uint32_t>(content.replicated ? Role::follower : Role::leader), std::memory_order_relaxed);
  page.high_watermark.store(content.high_watermark.value, std::memory_order_relaxed);
  page.unclean.store(content.unclean, std::memory_order_relaxed);
  page.damaged.store(content.damaged, std::memory_order_relaxed);
  page.transactional.store(content.transactional ? StatePage::some : StatePage::none, std::memory_order_relaxed);
  page.wall_ahead_ms.store(content.wall_seen_ms.value_or(clock.wall_ms()) - clock.boot_ms(), std::memory_order_relaxed);
  if (content.gaps_below > Offset(0)) page.incompatible_features |= StatePage::kHasGaps;
  page.gaps_below.store(content.gaps_below.value, std::memory_order_relaxed);
  publish(page, content.position);
}

}  // namespace

Result<std::shared_ptr<PartitionState>> PartitionState::open(const Env& env, const Spec& spec, Deadline deadline) {
  std::shared_ptr<PartitionState> state(new PartitionState(env, spec));
  state->access_ = spec.access;
  const std::string lock_path = names::partition_lock(spec.directory);
  PG_ASSIGN(const bool is_there, env.files.exists(spec.directory));
  if (!is_there) {
    return fail(Errc::not_found, fmt::format("partition '{}' does not exist", spec.name), spec.directory);
  }
  auto locks = env.files.open_lock(lock_path, spec.access);
  if (!locks && is_permission(locks.error())) {
    state->access_ = Access::read_only;
    locks = env.files.open_lock(lock_path, Access::read_only);
  }
  if (!locks && spec.access == Access::read_only && locks.error().code == Errc::not_found) {
    PG_CHECK(state->take_private_view());  // files without anything of ours beside them
    return state;
  }
  PG_ASSIGN(state->locks_, std::move(locks));

  for (;;) {
    PG_CHECK(state->locks_->lock(lock_byte::kMapped, LockMode::shared, deadline));
    const bool wants_view = spec.is_contradicted && state->access_ == Access::read_only;
    PG_ASSIGN(const bool mapped, wants_view ? Result<bool>(false) : state->map_page(state->access_));
    if (mapped) return state;
    if (state->access_ == Access::read_only) {
      const auto viewed = state->take_private_view();
      state->locks_->unlock(lock_byte::kMapped);  // a reader does not keep others from rebuilding the page
      PG_CHECK(viewed);
      return state;
    }
    // Nobody may have the bad page mapped while it is replaced. The wait is a poll without the append lock, so that
    // the others, who will find the page unusable at their next append, can let go of it.
    state->locks_->unlock(lock_byte::kMapped);
    PG_ASSIGN(const bool rebuilt, state->rebuild_if_alone(deadline));
    if (rebuilt) continue;
    if (env.clock.now() >= deadline) {
      return fail(Errc::busy, fmt::format("the state of '{}' must be rebuilt, but other processes use it", spec.name),
                  names::partition_state(spec.directory));
    }
    env.clock.wait({}, kRebuildPoll);
  }
}

// False: another process has the page mapped.
Result<bool> PartitionState::rebuild_if_alone(Deadline deadline) {
  PG_ASSIGN(const bool alone, locks_->try_lock(lock_byte::kMapped, LockMode::exclusive));
  if (!alone) return false;
  const auto rebuilt = rebuild_page(deadline);
  locks_->unlock(lock_byte::kMapped);
  if (!rebuilt && rebuilt.error().code == Errc::no_space) {
    // A full disk: the log can still be read, and a writer gets the reason why it cannot write.
    access_ = Access::read_only;
    no_space_ = rebuilt.error();
    return true;
  }
  PG_CHECK(rebuilt);
  return true;
}

// Maps the page if it can be trusted. False: it cannot.
Result<bool> PartitionState::map_page(Access access) {
  const std::string path = names::partition_state(spec_.directory);
  auto opened = env_.files.open(path, access == Access::read_write ? OpenMode::write : OpenMode::read);
  if (!opened && access == Access::read_write && is_permission(opened.error())) {
    access_ = access = Access::read_only;
    opened = env_.files.open(path, OpenMode::read);
  }
  if (!opened) {
    if (opened.error().code == Errc::not_found || access == Access::read_only) return false;
    return tl::unexpected(std::move(opened).error());
  }
  PG_ASSIGN(const FileInfo info, (*opened)->info());
  if (info.size_bytes != StatePage::kBytes) return false;
  PG_ASSIGN(auto mapping, (*opened)->map(StatePage::kBytes, access));
  auto* page = reinterpret_cast<StatePage*>(mapping->data());
  if (page->magic != StatePage::kMagic || page->version != StatePage::kVersion) return false;
  if (page->incompatible_features & ~kKnownIncompatibleFeatures) {
    return fail(Errc::unsupported_version, "the partition's state was written by a newer version", path);
  }
  PG_ASSIGN(const bool this_boot, is_this_boot(env_, page->boot_id, page->compatible_features, path));
  if (!this_boot) return false;
  PG_ASSIGN(const FileInfo lock, locks_->info());
  if (page->device != info.device || page->inode != info.inode || page->lock_inode != lock.inode) return false;
  if (page->untrusted.load(std::memory_order_acquire) != 0 || is_spoilt(*page)) return false;
  page_file_ = std::move(*opened);
  mapping_ = std::move(mapping);
  page_ = page;
  return true;
}

Result<OldPage> PartitionState::read_old_page() const {
  const auto file = env_.files.open(names::partition_state(spec_.directory), OpenMode::read);
  alignas(StatePage) std::array<std::byte, StatePage::kBytes> bytes;
  if (!file && file.error().code == Errc::not_found) return OldPage{};
  PG_CHECK(file);  // what cannot be read just now is not lost: it may say what must be kept
  PG_ASSIGN(const size_t got, (*file)->read_at(0, bytes));
  if (got != bytes.size()) return OldPage{.restarted = true};
  const auto* page = reinterpret_cast<const StatePage*>(bytes.data());
  if (page->magic != StatePage::kMagic || page->version != StatePage::kVersion) return OldPage{.restarted = true};
  PG_ASSIGN(const bool this_boot, is_this_boot(env_, page->boot_id, page->compatible_features, (*file)->path()));
  if (!this_boot) return OldPage{.restarted = true};
  PG_ASSIGN(const FileInfo info, (*file)->info());
  PG_ASSIGN(const FileInfo lock, locks_->info());
  const bool ours = page->device == info.device && page->inode == info.inode && page->lock_inode == lock.inode;
  if (is_spoilt(*page)) return OldPage{};
  if (!ours) return OldPage{.same_boot = true, .log_end_min = Offset(0)};  // a copy, who knows of what
  const LogPosition position = read_position(*page);
  // Of a replicated log, what is not committed may be cut off and written anew.
  const Offset shown = page->replicated.load() != 0 ? known_high_watermark(*page) : position.log_end;
  OldPage old{.same_boot = true, .log_end_min = shown, .failed = page->failed.load() != 0};
  old.high_watermark = known_high_watermark(*page);
  old.unclean = page->unclean.load() != 0;
  old.gaps_below = Offset(page->gaps_below.load());
  old.damaged = page->damaged.load() != 0;
  const uint32_t untrusted = page->untrusted.load();
  old.contradicted = untrusted == StatePage::kOlder;
  if (untrusted == 0) old.position = position;
  return old;
}

Result<std::optional<PageMemory>> PartitionState::remember(const Env& env, const std::string& directory) {
  const auto file = env.files.open(names::partition_state(directory), OpenMode::read);
  if (!file && file.error().code == Errc::not_found) return std::nullopt;
  PG_CHECK(file);
  alignas(StatePage) std::array<std::byte, StatePage::kBytes> bytes;
  PG_ASSIGN(const size_t got, (*file)->read_at(0, bytes));
  const auto* page = reinterpret_cast<const StatePage*>(bytes.data());
  if (got != bytes.size() || page->magic != StatePage::kMagic || page->version != StatePage::kVersion ||
      is_spoilt(*page)) {
    return std::nullopt;
  }
  return PageMemory{read_position(*page).log_start, Offset(page->flushed.load()), Offset(page->gaps_below.load())};
}

// Called with the `mapped` byte held exclusively.
Result<> PartitionState::rebuild_page(Deadline deadline) {
  PG_ASSIGN(const HeldLock append, HeldLock::acquire(*locks_, lock_byte::kAppend, LockMode::exclusive, deadline));
  {
    PG_ASSIGN(const bool rebuilt_meanwhile, map_page(Access::read_only));
    mapping_.reset();
    page_file_.reset();
    page_ = nullptr;
    if (rebuilt_meanwhile) return {};
  }
  PG_ASSIGN(const OldPage old, read_old_page());
  PG_ASSIGN(const PageContent content, spec_.rebuild(old, Access::read_write));
  return write_page(env_, spec_.directory, content);
}

Result<> PartitionState::replace_page(const Env& env, const Spec& spec, Deadline deadline) {
  PartitionState state(env, spec);
  PG_ASSIGN(state.locks_, env.files.open_lock(names::partition_lock(spec.directory), Access::read_write));
  const auto alone = HeldLock::acquire(*state.locks_, lock_byte::kMapped, LockMode::exclusive, deadline);
  if (!alone && alone.error().code == Errc::timed_out) {
    return fail(Errc::busy, fmt::format("other processes have '{}' open: stop them first", spec.name), spec.directory);
  }
  PG_CHECK(alone);
  PG_ASSIGN(const HeldLock append, HeldLock::acquire(*state.locks_, lock_byte::kAppend, LockMode::exclusive, deadline));
  PG_ASSIGN(const OldPage old, state.read_old_page());
  PG_ASSIGN(const PageContent content, spec.rebuild(old, Access::read_write));
  return write_page(env, spec.directory, content);
}

Result<> PartitionState::write_page(const Env& env, const std::string& directory, const PageContent& content) {
  const std::string path = names::partition_state(directory), temporary = path + ".tmp";
  if (const auto removed = env.files.unlink(temporary); !removed && removed.error().code != Errc::not_found)
    return removed;
  PG_ASSIGN(const auto file, env.files.open(temporary, OpenMode::create_new));
  PG_ASSIGN(const FileInfo info, file->info());
  PG_ASSIGN(const FileInfo lock, env.files.info(names::partition_lock(directory)));
  PG_ASSIGN(const Uuid boot, env.boot_id());
  // Written in full, so that no later store can meet a hole on a full disk.
  alignas(StatePage) std::array<std::byte, StatePage::kBytes> bytes{};
  auto* page = reinterpret_cast<StatePage*>(bytes.data());
  page->magic = StatePage::kMagic;
  page->version = StatePage::kVersion;
  page->compatible_features = boot_id_kind(env);
  std::copy(boot.begin(), boot.end(), page->boot_id);
  page->device = info.device;
  page->inode = info.inode;
  page->lock_inode = lock.inode;
  fill_page(*page, content, env.clock);
  PG_CHECK(file->write_at(0, bytes));
  return env.files.rename(temporary, path);
}

Result<> PartitionState::take_private_view() {
  const auto old = locks_ ? read_old_page() : OldPage{};
  PG_ASSIGN(const PageContent content, spec_.rebuild(old.value_or(OldPage{}), Access::read_only));
  private_page_ = std::make_unique<StatePage>();
  page_ = private_page_.get();
  fill_page(*page_, content, env_.clock);
  return {};
}

Result<bool> PartitionState::is_stale() const {
  if (is_private_view()) return true;
  PG_ASSIGN(const FileInfo lock_info, locks_->info());
  PG_ASSIGN(const FileInfo page_info, page_file_->info());
  return lock_info.links == 0 || page_info.links == 0 || page_info.size_bytes != StatePage::kBytes ||
         page_->untrusted.load(std::memory_order_acquire) != 0 || is_spoilt(*page_);
}

Offset PartitionState::high_watermark() const {
  return is_replicated() ? committed_end(*page_, access_ == Access::read_write) : position().log_end;
}

Offset PartitionState::flushed_everywhere() const {
  if (!is_replicated()) return Offset(page_->flushed.load(std::memory_order_acquire));
  const auto ends = in_sync_ends(*page_);
  return ends ? ends->flushed : Offset(0);
}

Reached PartitionState::has_reached(LeaderEpoch epoch, Offset end, bool flushed) {
  if (is_replicated()) return pg::has_reached(*page_, epoch, end, flushed, access_ == Access::read_write);
  const Offset reached = flushed ? flushed_everywhere() : high_watermark();
  if (!leads_in(epoch)) return Reached::unknown;
  return reached >= end ? Reached::yes : Reached::no;
}

bool PartitionState::is_flushed_to(Offset offset) const {
  const auto stale = is_stale();
  return stale && !*stale && check_not_deleted() && Offset(page_->flushed.load(std::memory_order_acquire)) >= offset;
}

void PartitionState::allow_gaps(Offset below) {
  std::atomic_ref(page_->incompatible_features).fetch_or(StatePage::kHasGaps, std::memory_order_relaxed);
  raise(page_->gaps_below, below.value);
}

Result<> PartitionState::check_writable() const {
  if (no_space_) return tl::unexpected(*no_space_);
  if (access_ == Access::read_write) return {};
  return fail(Errc::io, fmt::format("no permission to write to '{}'", spec_.name),
              names::partition_state(spec_.directory), {}, EACCES);
}

void PartitionState::fence(LeaderEpoch epoch) {
  if (access_ == Access::read_only) return;
  raise(page_->fenced, epoch.value);
  wake_all();
}

bool PartitionState::leads_in(LeaderEpoch epoch) const {
  return page_->role.load() == static_cast<uint32_t>(Role::leader) && page_->leader_epoch.load() == epoch.value &&
         page_->fenced.load() <= epoch.value;
}

bool PartitionState::may_be_transactional() const {
  switch (page_->transactional.load(std::memory_order_relaxed)) {
    case StatePage::none:
      return false;
    case StatePage::unknown:
      return position().producer_batches > 0;
    default:
      return true;  // also where a bit of the word is spoilt
  }
}

Result<> PartitionState::check_not_deleted() const {
  if (page_->deleted.load(std::memory_order_acquire) == 0) return {};
  return fail(Errc::not_found, fmt::format("partition '{}' was deleted", spec_.name), spec_.directory);
}

void PartitionState::publish_and_wake(const LogPosition& position) {
  publish(*page_, position);
  // Pairs with announce_sleeper: either the sleeper sees what was just published, or we see its flag. Without a full
  // fence on both sides a wake-up can be lost. That needs two cores within some nanoseconds of each other, which no
  // test can arrange. It would cost a sleeper one kSleepPollInterval, and no record.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (page_->sleepers.load(std::memory_order_relaxed) != 0) wake_followers();
  // With others in sync, more is committed only when they have it.
  const bool alone = is_replicated() && std::has_single_bit(InSync::unpack(page_->in_sync.load()).mask);
  if (alone && page_->commit_sleepers.load(std::memory_order_relaxed) != 0) wake_committed();
}

void PartitionState::wake(StatePage::SmallWord& word, StatePage::SmallWord& sleepers) {
  if (access_ == Access::read_only) return;  // writers wake the sleepers themselves
  sleepers.store(0, std::memory_order_relaxed);
  word.fetch_add(1, std::memory_order_release);
  env_.clock.wake(word);
}

void PartitionState::wake_followers() { wake(page_->wake_word, page_->sleepers); }

void PartitionState::wake_committed() { wake(page_->commit_word, page_->commit_sleepers); }

void PartitionState::wake_all() {
  wake_followers();
  wake_committed();
}

WakeWord PartitionState::announce_sleeper(StatePage::SmallWord& word, StatePage::SmallWord& sleepers) {
  const uint32_t seen = word.load(std::memory_order_acquire);
  if (access_ == Access::read_write) {
    sleepers.store(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // see publish_and_wake
  }
  return {&word, seen};
}

WakeWord PartitionState::prepare_to_sleep() {
  return is_replicated() ? announce_sleeper(page_->commit_word, page_->commit_sleepers) : prepare_to_follow();
}

WakeWord PartitionState::prepare_to_follow() { return announce_sleeper(page_->wake_word, page_->sleepers); }

}  // namespace pg
