// The only door to a partition's shared state: its lock file and its state page, opened, checked and mapped together.
//
// A page counts only if its magic, version and boot id fit, if it was made for this very file (device and inode), if
// its position is whole, and if no process has marked it untrusted because the files contradict it (page_check.h).
// Otherwise it is rebuilt from the files, by one process while nobody maps it.
// Who may not write to the partition gets a read-only map, or, where there is no page to be trusted, a private view
// that is computed from the files and repairs nothing.
//
// Thread-safe. The page's words follow the rules in state_page.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/log/gaps.h"
#include "core/log/replica_words.h"
#include "core/log/state_page.h"
#include "core/os/env.h"

namespace pg {

// The bytes of partition.lock. They are taken in the order mapped, compaction, append, flush, replica, segment list; a
// holder of one never takes an earlier one.
namespace lock_byte {
inline constexpr uint32_t kAppend = 0;
inline constexpr uint32_t kMapped = 1;  // held shared by all who map the page, exclusively while it is rebuilt
inline constexpr uint32_t kFlush = 2;
inline constexpr uint32_t kReplica = 3;      // for brokers
inline constexpr uint32_t kSegmentList = 4;  // held shared by who wants the list to stay as it is
inline constexpr uint32_t kCompaction = 5;   // one compaction at a time; tried
inline constexpr uint32_t kMaking = 6;       // held by who makes the partition, until it has its name
}  // namespace lock_byte

// What a new page says.
struct PageContent {
  LogPosition position = {};
  LeaderEpoch leader_epoch = {};
  Offset flushed = {};
  bool failed = false;  // a flush failed in this boot: what the kernel holds is not what the disk holds
  std::optional<int64_t> wall_seen_ms = {};  // the latest time at which the wall clock is known to have been right
  bool replicated = false;                   // then nobody leads until a broker says so
  Offset high_watermark = {};                // of a replicated one
  bool unclean = false;                      // of a replicated one: see StatePage::unclean
  bool damaged = false;                      // of a replicated one: see StatePage::damaged
  bool transactional = false;                // a batch of the segments that were read is
  bool after_damage = false;  // offsets before the active segment cannot be read, and never get other records
  Offset gaps_below = {};     // offsets below it may be missing from the log; see gaps.h
};

// What the old page still tells about a log whose page must be rebuilt.
struct OldPage {
  bool same_boot = false;      // the machine has not restarted since
  bool contradicted = false;   // yet its files are newer, or other files: the page was right once, or never
  Offset log_end_min = {};     // readers have been shown offsets below this: none of them may change its value
  bool failed = false;         // a flush failed
  Offset high_watermark = {};  // of a replicated log
  bool unclean = false;
  bool damaged = false;
  std::optional<LogPosition> position = {};  // where the log ends, if nothing speaks against the page
  Offset gaps_below = {};                    // as far as the page tells
  bool restarted = false;                    // there is a page, and it is not of this boot
};

// What a page of any boot still tells if a checkpoint cannot be read. The values were durable before the page had them,
// and none is higher than the last true one, unless the log was cut since.
struct PageMemory {
  Offset log_start, flushed;
  Offset gaps_below;  // see gaps.h
};

class PartitionState {
 public:
  struct Spec {
    std::string directory;
    std::string name;  // "orders-0", for messages
    Access access = Access::read_write;
    // Computes the page from the files; called while nobody else maps or appends. Read-only access: must not write.
    std::function<Result<PageContent>(const OldPage& old, Access access)> rebuild;
    // The page is known not to fit the files: a process that may not rebuild it gets a private view.
    bool is_contradicted = false;
  };

  // Errors: not_found (no such partition), busy (others keep an unusable page mapped, or rebuild it, until `deadline`),
  // unsupported_version, and what `rebuild` returns.
  static Result<std::shared_ptr<PartitionState>> open(const Env& env, const Spec& spec, Deadline deadline);

  // Makes the page anew although it may be good: `rebuild` runs while nobody has the partition open and nobody can open
  // it. busy: somebody kept it open until `deadline`.
  static Result<> replace_page(const Env& env, const Spec& spec, Deadline deadline);

  // Empty: there is no page, or a spoilt one.
  static Result<std::optional<PageMemory>> remember(const Env& env, const std::string& directory);

  // Writes the page of a partition that is being made, before anybody can open it.
  static Result<> write_page(const Env& env, const std::string& directory, const PageContent& content);

  Access access() const { return access_; }
  bool is_private_view() const { return mapping_ == nullptr; }
  // Why there is no page that could be written, where that is a full disk.
  const std::optional<Error>& no_space() const { return no_space_; }
  // For every caller that is about to store to the page: its map may be read-only although the lock file is not.
  Result<> check_writable() const;
  LockFile& locks() { return *locks_; }
  StatePage& page() { return *page_; }
  const StatePage& page() const { return *page_; }

  LogPosition position() const { return read_position(*page_); }
  bool is_replicated() const { return page_->replicated.load(std::memory_order_relaxed) != 0; }
  // What consumers may read, exclusive. With one replica that is the log's end, flushed or not; with more, what every
  // replica in sync has.
  Offset high_watermark() const;
  // The same of what is on stable storage.
  Offset flushed_everywhere() const;
  // Whether the records appended in `epoch` below `end` are committed; `flushed`: on stable storage of all replicas in
  // sync.
  Reached has_reached(LeaderEpoch epoch, Offset end, bool flushed);
  // Whether all below `offset` is there and on stable storage, still: a replica's log may have been cut since it was.
  bool is_flushed_to(Offset offset) const;
  // Nobody may append in an epoch below `epoch` any more; never taken back.
  void fence(LeaderEpoch epoch);
  // Whether records that were appended in `epoch` count: no newer leader was heard of.
  bool leads_in(LeaderEpoch epoch) const;
  // Whether the active segment may have transactional batches; see StatePage::transactional.
  bool may_be_transactional() const;
  // Which offsets may be missing from the log.
  GapRule gaps() const { return {Offset(page_->gaps_below.load(std::memory_order_acquire))}; }
  // Offsets below `below` may be missing from now on. Needs the append lock.
  void allow_gaps(Offset below);
  LeaderEpoch leader_epoch() const { return LeaderEpoch(page_->leader_epoch.load(std::memory_order_relaxed)); }

  // Whether the lock file or the page under this object was replaced, deleted or declared untrusted: open it again.
  Result<bool> is_stale() const;

  // not_found once the topic was deleted.
  Result<> check_not_deleted() const;

  // Publishes, and wakes who sleeps. Needs the append lock.
  void publish_and_wake(const LogPosition& position);
  void wake_all();

  // Announces a sleeper and returns what to wait on; the caller then looks once more before it waits. It is woken when
  // the high watermark may have moved; a follower, when the log has.
  WakeWord prepare_to_sleep();
  WakeWord prepare_to_follow();
  // The same for what was appended and for what was committed.
  void wake_followers();
  void wake_committed();

 private:
  PartitionState(const Env& env, Spec spec) : env_(env), spec_(std::move(spec)) {}

  WakeWord announce_sleeper(StatePage::SmallWord& word, StatePage::SmallWord& sleepers);
  void wake(StatePage::SmallWord& word, StatePage::SmallWord& sleepers);
  Result<bool> map_page(Access access);
  Result<OldPage> read_old_page() const;
  Result<bool> rebuild_if_alone(Deadline deadline);
  Result<> rebuild_page(Deadline deadline);
  Result<> take_private_view();

  Env env_;
  Spec spec_;
  Access access_ = Access::read_only;
  std::optional<Error> no_space_;
  std::unique_ptr<LockFile> locks_;
  std::unique_ptr<File> page_file_;
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<StatePage> private_page_;
  StatePage* page_ = nullptr;
};

}  // namespace pg
