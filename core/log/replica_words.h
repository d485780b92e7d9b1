// The words of a leader's state page that say which replicas have what, and what follows from them: how far the log is
// committed. No lock guards them, so a frozen process stops no other one:
//
//  * a slot belongs to one follower, whose broker alone stores in it, and counts only for the epoch that it names;
//  * `in_sync` names the replicas in sync. It changes by compare-and-swap, and with its epoch and its version no value
//    comes twice. A process that computes from the slots looks at it before and after;
//  * a replica joins in two steps. First its bit is set: from then on it holds the high watermark back. It is in sync
//    once it has all that the leader had by then, for no process can have computed a higher one without it;
//  * before the metadata says that it is in sync, the word gets a new version, so that a process that was about to
//  clear
//    its bit fails;
//  * it leaves the metadata first, and then this word. So every replica of the metadata's ISR has all that is
//    committed;
//  * for `min_in_sync` only the replicas count that the metadata names, as in Kafka, where only the committed ISR
//    counts: a replica that the metadata does not name is not elected. `confirmed` says which they are. A bit of it is
//    set after the metadata names the replica and cleared before the metadata loses it, by compare-and-swap with a
//    version, so that a late process fails.
//
// The high watermark is the lowest log end of the replicas in sync, and moves only while there are `min_in_sync` of
// them. The highest one computed so far is kept: in `committed` while this replica leads, and in `high_watermark` after
// it has begun to follow. Every process that computes it stores it in `committed`, and may have been stopped before the
// store for any time. So that word names its epoch, and a late store finds another epoch there. Only the replica's own
// broker stores `high_watermark`. The wording is Kafka's; sharing memory is ours.
#pragma once

#include <optional>
#include <vector>

#include "core/log/state_page.h"

namespace pg {

struct InSync {
  LeaderEpoch epoch;
  uint16_t version = 0;
  uint16_t mask = 0;  // bit i: slot i

  bool has(size_t slot) const { return (mask >> slot & 1) != 0; }
  bool operator==(const InSync&) const = default;
  static InSync unpack(uint64_t word);
  uint64_t pack() const;
};

// How far all replicas in sync have the log. Empty: nobody knows yet, or there are too few of them.
struct InSyncEnds {
  LeaderEpoch epoch;
  Offset log_end;
  Offset flushed;
};
std::optional<InSyncEnds> in_sync_ends(const StatePage& page);

// The high watermark as it was last kept.
Offset known_high_watermark(const StatePage& page);
// The high watermark. With `may_write` a higher one than before is kept.
Offset committed_end(StatePage& page, bool may_write);

// Whether all replicas in sync have the records appended in `epoch` below `end`; `flushed`: on stable storage. unknown:
// there is a newer leader, and only its log tells.
enum class Reached { no, yes, unknown };
Reached has_reached(StatePage& page, LeaderEpoch epoch, Offset end, bool flushed, bool may_write);

// The replicas in sync that the metadata names, as the words are now.
InSync confirmed_in_sync(const StatePage& page);
// Whether they are fewer than min.insync.replicas asks for, by `confirmed` or as the words are now.
bool has_too_few(const StatePage& page, const InSync& confirmed);
inline bool has_too_few(const StatePage& page) { return has_too_few(page, confirmed_in_sync(page)); }

// The replica's slot; empty: this page knows no such replica.
std::optional<size_t> slot_of(const StatePage& page, BrokerId replica);

// A follower says what it has. Called by its broker only, in one thread; `begin_slot` when it begins to follow in an
// epoch.
void begin_slot(StatePage& page, size_t slot, LeaderEpoch epoch, Offset log_end, Offset flushed);
void report_to_slot(StatePage& page, size_t slot, Offset log_end, Offset flushed);
void clear_slot(StatePage& page, size_t slot);

// Keeps the high watermark of the epoch in which this replica led, before it follows in another one. Needs the append
// lock.
void end_leading(StatePage& page);

// Opens an epoch: `replicas` get the slots, in this order; the leader's own among them. Needs the append lock.
void open_slots(StatePage& page, const std::vector<BrokerId>& replicas, BrokerId leader,
                const std::vector<BrokerId>& in_sync, LeaderEpoch epoch);
// Gives the word another mask and the next version, if it still is as it was seen.
bool change_in_sync(StatePage& page, const InSync& seen, uint16_t mask);
bool change_confirmed(StatePage& page, const InSync& seen, uint16_t mask);

// Raises a word; never lowers it.
template <class Word, class Value>
void raise(Word& word, Value value) {
  for (Value seen = word.load(); seen < value && !word.compare_exchange_weak(seen, value);) {
  }
}

}  // namespace pg
