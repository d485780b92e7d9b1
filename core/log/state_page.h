// partition.state: one page of memory that every process on the host which has the partition open maps and shares.
//
// It is a cache of what the files hold, rebuilt from them whenever it cannot be trusted, and it is what makes a write
// visible: a record exists for readers once `sequence` says so. Fixed-width atomics only; no pointers, no std types.
//
// Publishing is one 64-bit store. There are two copies of the position; a writer (who holds the append lock) fills the
// copy that is not live and then stores `sequence` + 1, whose low bit names the live copy. A reader takes the live copy
// and keeps it only if `sequence` did not move meanwhile. A writer that dies in between has published nothing. Each
// copy ends with a check over its fields and its number: a writer that believed a spoilt position would cut records off
// the log.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/types.h"
#include "core/log/shared_word.h"

namespace pg {

// What a writer publishes: where the log ends, and what appending needs to know about the active segment.
struct LogPosition {
  Offset active_segment;      // base offset of the segment that is appended to
  int64_t segment_bytes = 0;  // its size; bytes behind it are in no record
  Offset log_end;             // exclusive: the next record's offset (LEO)
  Offset log_start;
  int64_t offset_index_bytes = 0;
  int64_t time_index_bytes = 0;
  int64_t bytes_since_index_entry = 0;
  int64_t max_timestamp_ms = -1;  // in the active segment; -1: none yet
  Offset max_timestamp_offset;    // last offset of the batch that has it
  int64_t last_time_entry_ms = -1;
  int64_t first_timestamp_ms = -1;  // the active segment's first batch, for segment.ms
  int64_t producer_batches = 0;     // batches in the active segment that have a producer id
};

enum class Role : uint32_t { leader = 0, follower = 1 };

struct StatePage {
  static constexpr uint64_t kMagic = 0x4554415453475001;  // "\1PGSTATE"
  static constexpr uint32_t kVersion = 1;
  static constexpr size_t kBytes = 4096;
  // A bit of `incompatible_features`: `gaps_below` is not 0. Version 0.1.0 would take a gap for damage.
  static constexpr uint32_t kHasGaps = 1;

  static constexpr uint32_t kAhead = 1, kOlder = 2;  // `untrusted`

  using Word = SharedWord<uint64_t>;
  using SmallWord = SharedWord<uint32_t>;

  // Identity: written before the page gets its name, then never again.
  uint64_t magic;
  uint32_t version;
  uint32_t compatible_features;            // unknown ones are ignored; kForeignBootId of core/os/boot.h
  uint32_t read_only_compatible_features;  // unknown ones: read, but do not write
  uint32_t incompatible_features;          // unknown ones: rebuild nothing, refuse
  uint8_t boot_id[16];
  uint64_t device;  // of the page's own file: a copied page does not count
  uint64_t inode;
  uint64_t lock_inode;  // of partition.lock beside it: a page that was moved here does not count

  alignas(64) Word sequence;
  struct Copy {
    Word field[15];
    Word check;
  };
  alignas(64) Copy copies[2];

  // Who may write, and up to where. Changed under the append lock, except `fenced`, which only grows.
  alignas(64) SmallWord role;
  SharedWord<int32_t> leader_epoch;
  SharedWord<int32_t> fenced;  // the lowest epoch allowed to append
  SmallWord deleted;           // the topic is gone; who meets this ends
  SmallWord failed;            // a flush failed: this replica is offline until it is rebuilt
  SmallWord
      untrusted;  // the files contradict this page: rebuild it. kAhead: they have less; kOlder: more, or are others
  SharedWord<int64_t> rolling;         // base offset + 1 of a segment being made; 0: none
  SharedWord<int64_t> high_watermark;  // only with more than one replica, and as long as it leads `committed` goes
                                       // beyond it; see replica_words.h
  SharedWord<int32_t> holder_pid;      // who last held the append lock, for people
  uint32_t reserved_holder;
  Word holder_pid_namespace;
  SharedWord<int64_t> holder_since_ms;  // by the wall clock

  // Group commit. Changed under the flush lock.
  alignas(64) SharedWord<int64_t> flushed;  // every record below it is on stable storage
  SmallWord flushing;                       // a flush has begun; set with the lock free: its holder died
  SmallWord flush_word;                     // futex: moves when `flushed` does
  Word truncations;
  SharedWord<int64_t> flush_since_ms;       // when the last one began, for people
  SharedWord<int64_t> compaction_since_ms;  // the same

  // Sleeping readers.
  alignas(64) SmallWord wake_word;  // futex: moves when something was published for sleepers
  SmallWord sleepers;               // somebody waits on wake_word

  // The list of segments; changed under the segment list lock, see segment_list.h.
  alignas(64) Word segment_list;  // odd while it changes

  SharedWord<int64_t> config_version;  // of the topic's metadata: who has older configs reads them again
  SharedWord<int64_t>
      wall_ahead_ms;  // the greatest wall clock seen, less the time since the machine started; see retention.h
  SharedWord<int64_t> gaps_below;  // below it offsets may be missing; 0: none are; never goes back; see gaps.h

  // Of a partition with more than one replica; see replica_words.h.
  struct ReplicaSlot {
    SharedWord<int32_t> broker;
    SharedWord<int32_t> epoch;    // of the leader that the two below are for; -1: none
    SharedWord<int64_t> log_end;  // what the follower has
    SharedWord<int64_t> flushed;  // what it has on stable storage
    uint64_t reserved;
  };
  static constexpr size_t kSlots = 16;
  alignas(64) Word in_sync;          // which slots are in sync, in which epoch
  SharedWord<int64_t> flush_wanted;  // a producer waits for all of the ISR to have this on stable storage
  SmallWord replicated;              // there is more than one replica
  SmallWord own_slot;                // the leader's
  SmallWord min_in_sync;             // min.insync.replicas
  SmallWord unclean;                 // acknowledged records may be missing: the machine stopped, or it was emptied
  SmallWord damaged;                 // a batch below the end cannot be read: this replica must not lead
  SmallWord full;                    // its disk had no room for a batch
  SmallWord commit_word;             // futex: moves when more is committed
  SmallWord commit_sleepers;         // somebody waits on commit_word
  alignas(64) ReplicaSlot slots[kSlots];

  // Whether a transactional batch was appended, or read by recovery, since the page was made. With `none`, readers need
  // not look for open transactions. Set before such a batch is published.
  enum Transactional : uint32_t { unknown = 0, none = 1, some = 2 };  // unknown: an older version made the page
  alignas(64) SmallWord transactional;

  // Which files the page belongs to; see page_check.h. 0: unknown yet.
  SharedWord<int64_t> file_of;  // base offset + 1 of the segment that `file` is for
  Word file;                    // which file its .log is
  Word checkpoints;             // the recovery points and log starts that were last compared: checkpoint_versions()
  SmallWord cutting;            // a cut has begun: bytes and segments behind the end are to go
  uint32_t reserved_cutting;
  Word directory;  // the partition's directory when no segment lay behind an empty one: see page_check.h; 0: unknown

  // Zero in a page that an older version has written.
  alignas(64) Word confirmed;  // which of the replicas in sync the metadata names
  Word committed;              // the high watermark of the epoch in which this replica leads

  alignas(64) uint8_t reserved[2368];
};

static_assert(sizeof(StatePage) <= StatePage::kBytes);
static_assert(offsetof(StatePage, sequence) == 64 && offsetof(StatePage, copies) == 128);
static_assert(offsetof(StatePage, role) == 384 && offsetof(StatePage, flushed) == 448);
static_assert(offsetof(StatePage, wake_word) == 512 && offsetof(StatePage, segment_list) == 576);
static_assert(offsetof(StatePage, in_sync) == 640 && offsetof(StatePage, slots) == 704 &&
              offsetof(StatePage, confirmed) == 1280);
static_assert(StatePage::Word::is_always_lock_free && StatePage::SmallWord::is_always_lock_free);
static_assert(sizeof(LogPosition) <= sizeof(StatePage::Copy::field) && sizeof(StatePage::Copy) == 128);

// Needs the append lock (or a page nobody else maps yet).
void publish(StatePage& page, const LogPosition& position);
LogPosition read_position(const StatePage& page);

// Whether the position is the one that was published. False: the page was spoilt, and nothing in it counts.
bool is_position_whole(const StatePage& page);

}  // namespace pg
