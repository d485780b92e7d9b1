#include "core/log/transactions.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/control_record.h"
#include "core/log/producer_state.h"

namespace pg {
namespace {

std::string age_text(int64_t ms) {
  struct Unit {
    int64_t ms;
    const char* name;
  };
  for (const Unit unit : {Unit{86'400'000, "days"}, {3'600'000, "h"}, {60'000, "min"}}) {
    if (ms >= 2 * unit.ms) return fmt::format("{} {}", ms / unit.ms, unit.name);
  }
  return fmt::format("{} s", ms / 1000);
}

// Reads on behind damage: a transaction that is open before the damage stays open, since its marker was not seen.
Result<std::optional<ScannedBatch>> next_readable(LogReader& reader, Offset end) {
  for (;;) {
    auto batch = reader.next(end);
    if (batch || batch.error().code != Errc::corrupt) return batch;
    PG_CHECK(reader.skip_damage(end));
  }
}

Result<ProducerEntries> scan_producers(PartitionLog& log, KnownProducers known, Offset end) {
  LogReader reader(log, known.base, BatchParts::header);
  for (;;) {
    PG_ASSIGN(const auto batch, next_readable(reader, end));
    if (!batch) return std::move(known.entries);
    if (batch->header.producer.id < 0) continue;
    const auto control = control_of(*batch);
    if (control || control.error().code != Errc::corrupt) {
      PG_CHECK(control);
      note_batch(known.entries, batch->header, *control);
    }
  }
}

// A snapshot is a hint: a transaction that it names counts if the log has a batch of it there. Empty: the log has not,
// or the batch lies below the log's start.
Result<std::optional<OpenTransaction>> confirm(PartitionLog& log, int64_t producer_id, const ProducerEntry& entry,
                                               Offset log_start, Offset end) {
  if (entry.last_offset < log_start) return std::nullopt;
  const Offset first(entry.transaction_first_offset);
  OpenTransaction open{producer_id, entry.epoch, entry.coordinator_epoch, std::max(first, log_start)};
  LogReader reader(log, first < log_start ? entry.last_offset : first, BatchParts::header);
  const auto batch = reader.next(end);
  if (!batch && batch.error().code == Errc::corrupt) return open;
  PG_CHECK(batch);
  if (!*batch || !(*batch)->header.is_undecided() || (*batch)->header.producer.id != producer_id) return std::nullopt;
  open.since_ms = (*batch)->header.base_timestamp_ms;
  return open;
}

Result<std::vector<OpenTransaction>> find_open(PartitionLog& log, Offset log_start, Offset end) {
  std::vector<OpenTransaction> open;
  PG_ASSIGN(const auto known, known_producers(log, log_start));
  if (!known) return open;
  PG_ASSIGN(const ProducerEntries entries, scan_producers(log, *known, end));
  for (const auto& [id, entry] : entries) {
    if (!entry.in_transaction()) continue;
    PG_ASSIGN(const auto confirmed, confirm(log, id, entry, log_start, end));
    if (confirmed) open.push_back(*confirmed);
  }
  std::ranges::sort(open, {}, &OpenTransaction::first_offset);
  return open;
}

}  // namespace

std::string OpenTransaction::text(int64_t now_ms) const {
  const std::string age =
      since_ms < 0 || now_ms < since_ms ? "" : fmt::format(", open for {}", age_text(now_ms - since_ms));
  return fmt::format("producer {} (epoch {}) since offset {}{}", producer_id, producer_epoch, first_offset.value, age);
}

Result<std::vector<OpenTransaction>> open_transactions(PartitionLog& log, Offset end) {
  for (;;) {
    const auto state = log.current_state();
    if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", log.name()));
    const Offset log_start = state->position().log_start;
    auto open = find_open(log, log_start, end);
    const bool moved = state->position().log_start != log_start;
    if (open || open.error().code != Errc::out_of_range || !moved) return open;
  }
}

Result<Offset> last_stable_offset(PartitionLog& log, Offset end) {
  PG_ASSIGN(const auto open, open_transactions(log, end));
  return open.empty() ? end : open.front().first_offset;
}

Result<Offset> readable_end(PartitionLog& log, Isolation isolation) {
  const auto state = log.current_state();
  if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", log.name()));
  const Offset end = state->high_watermark();
  return isolation == Isolation::read_committed ? last_stable_offset(log, end) : Result<Offset>(end);
}

Result<std::optional<TransactionOutcomes::Outcome>> TransactionOutcomes::of(int64_t producer_id, Offset offset,
                                                                            Offset end) {
  forget_below(offset);
  for (;;) {
    if (const auto found = markers_.find(producer_id); found != markers_.end()) {
      const Marker& marker = found->second.front();
      PG_CHECK(check_undamaged(offset, marker.offset));
      return marker.outcome;
    }
    PG_ASSIGN(const bool more, look_further(offset, end));
    if (more) continue;
    PG_CHECK(check_undamaged(offset, end));
    return std::nullopt;
  }
}

// False: it has seen all below `end`.
Result<bool> TransactionOutcomes::look_further(Offset from, Offset end) {
  if (!reader_) reader_.emplace(*log_, from);
  const Offset at = reader_->next_offset();
  const auto batch = reader_->next(end);
  if (batch) {
    if (!*batch) return false;
    PG_CHECK(note(**batch, from));
    return true;
  }
  if (batch.error().code == Errc::out_of_range && at < from) {  // deleted, and no caller will ask for it
    reader_.emplace(*log_, from);
    return true;
  }
  if (batch.error().code != Errc::corrupt || !pass_damage_) return tl::unexpected(batch.error());
  PG_CHECK(reader_->skip_damage(end));
  damage_.push_back({at, reader_->next_offset(), batch.error()});
  return true;
}

// A marker below `from` is not needed: the reader has passed it.
Result<> TransactionOutcomes::note(const ScannedBatch& batch, Offset from) {
  if (!batch.header.is_control() || batch.header.producer.id < 0 || batch.header.base_offset < from) return {};
  const auto control = control_of(batch);
  if (!control) {
    if (control.error().code != Errc::corrupt || !pass_damage_) return tl::unexpected(control.error());
    damage_.push_back({batch.header.base_offset, batch.header.end_offset(), control.error()});
    return {};
  }
  if (!*control || !(*control)->ends_transaction()) return {};
  const bool committed = (*control)->type == ControlRecord::kCommit;
  markers_[batch.header.producer.id].push_back(
      {batch.header.base_offset, committed ? Outcome::committed : Outcome::aborted});
  order_.emplace_back(batch.header.base_offset, batch.header.producer.id);
  return {};
}

void TransactionOutcomes::forget_below(Offset offset) {
  for (; !order_.empty() && order_.front().first < offset; order_.pop_front()) {
    const auto of_producer = markers_.find(order_.front().second);
    of_producer->second.pop_front();
    if (of_producer->second.empty()) markers_.erase(of_producer);
  }
  while (!damage_.empty() && damage_.front().to <= offset) damage_.pop_front();
}

Result<> TransactionOutcomes::check_undamaged(Offset from, Offset to) const {
  const auto between =
      std::ranges::find_if(damage_, [&](const Damage& damage) { return damage.to > from && damage.from < to; });
  if (between == damage_.end()) return {};
  Error error = between->error;
  error.what =
      fmt::format("nothing tells whether the transaction of offset {} was committed: {}", from.value, error.what);
  return tl::unexpected(std::move(error));
}

}  // namespace pg
