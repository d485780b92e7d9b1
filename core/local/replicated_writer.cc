#include "core/local/replicated_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "core/log/log_recovery.h"
#include "core/log/replica_words.h"
#include "core/os/signals.h"
#include "core/store/leader.h"

namespace pg {
namespace {

// What may be under way: enough to keep the followers busy, and no more than is worth to keep.
constexpr size_t kOpenBytesMax = 32 << 20;
constexpr Duration kLookInterval = std::chrono::milliseconds(10);

Result<> was_replaced() { return fail(Errc::fenced, "the leader changed"); }

Result<std::shared_ptr<PartitionState>> leading_state(const PartitionLog& log) {
  auto state = log.current_state();
  PG_CHECK(state && state->leads_in(state->leader_epoch()) ? Result<>() : was_replaced());
  return state;
}

WrittenBatch place_of(const Appended& appended) {
  return {appended.leader_epoch, appended.base_offset, appended.end_offset};
}

}  // namespace

ReplicatedWriter::ReplicatedWriter(const Home& home, TopicMetadata topic, PartitionId partition, Options options,
                                   int64_t producer_id, Done done)
    : home_(home),
      topic_(std::move(topic)),
      partition_(partition),
      options_(options),
      producer_id_(producer_id),
      done_(std::move(done)) {}

Deadline ReplicatedWriter::deadline() const { return home_.env().clock.after(options_.timeout); }

Result<> ReplicatedWriter::open() {
  return at_leader([](PartitionLog&) -> Result<> { return {}; }, deadline());
}

// Does `step` at a leader that has all that was sent; again at the next one if it fails because this one is replaced,
// or may be.
Result<> ReplicatedWriter::at_leader(const Step& step, Deadline until) {
  for (;;) {
    if (!log_) PG_CHECK(find_leader(until));
    auto done = resend(until);
    if (done) done = step(*log_);
    if (done) return done;
    note_fault(*log_, done.error());
    if (!patience_.allows(home_.env().clock, done.error(), until)) return tl::unexpected(out_of_patience(done.error()));
    log_.reset();  // as long as it is open, its state cannot be made anew
  }
}

// Waits until somebody leads.
Result<> ReplicatedWriter::find_leader(Deadline until) {
  auto log = open_leader(home_, topic_, partition_, until);
  if (!log) {
    if (!open_.empty() && log.error().code == Errc::not_leader) log.error().what += "; records may have been written";
    return give_up(log.error());
  }
  log_ = std::move(*log);
  return {};
}

Result<> ReplicatedWriter::give_up(Error error) {
  failed_ = error;
  return tl::unexpected(std::move(error));
}

// What was sent to a leader before this one and is not here. In order: once one is missing, so are those after it.
Result<> ReplicatedWriter::resend(Deadline until) {
  if (open_.empty()) return {};
  PG_ASSIGN(const auto state, leading_state(*log_));
  const LeaderEpoch epoch = state->leader_epoch();
  if (open_.back().appended.leader_epoch == epoch) return {};
  bool is_missing = false;
  for (Batch& batch : open_) {
    const bool open = !batch.bytes.empty() && batch.appended.leader_epoch != epoch;
    if (open) PG_CHECK(resend_if_missing(batch, epoch, is_missing, until));
    batch.appended.leader_epoch = epoch;  // of one that was committed: every leader has it
  }
  return {};
}

// Appends only if the log still is as it was when it lacked the batch: it may have followed another leader meanwhile,
// and got the batch there.
Result<> ReplicatedWriter::resend_if_missing(Batch& batch, LeaderEpoch epoch, bool& is_missing, Deadline until) {
  for (;;) {
    PG_ASSIGN(const auto state, leading_state(*log_));
    const LogEnd seen{state->position().log_end, state->leader_epoch()};
    if (seen.leader_epoch != epoch) return was_replaced();
    if (!is_missing) {
      PG_ASSIGN(const bool there, find_again(batch));
      if (there) return {};
    }
    PG_ASSIGN(const auto appended, log_->append_if(seen, batch.bytes, until));
    if (!appended) continue;
    is_missing = true;
    batch.appended = *appended;
    batch.places.push_back(place_of(*appended));
    return {};
  }
}

Result<bool> ReplicatedWriter::find_again(Batch& batch) const {
  PG_ASSIGN(const auto state, leading_state(*log_));
  const LogPosition position = state->position();
  PG_ASSIGN(const EpochHistory epochs, read_epoch_history(home_.env(), log_->directory()));
  const FoundBatch found = find_batch(batch.places, epochs, position.log_start, position.log_end);
  if (found.fate == BatchFate::unknown) return tl::unexpected(nobody_knows(batch));
  if (found.fate == BatchFate::missing) return false;
  batch.appended.base_offset = found.place.base;
  batch.appended.end_offset = found.place.end;
  return true;
}

Error ReplicatedWriter::nobody_knows(const Batch& batch) const {
  return {Errc::timed_out,
          fmt::format("the leader of '{}' changed, and the new one has deleted offsets {} to {}: the records there may "
                      "have been written",
                      log_->name(), batch.appended.base_offset.value, batch.appended.end_offset.value - 1),
          log_->directory(),
          {},
          0};
}

Result<Offset> ReplicatedWriter::append(MutableBytes bytes, int32_t record_count) {
  if (failed_) return tl::unexpected(*failed_);
  const Deadline until = deadline();
  Appended appended;
  const auto done = at_leader([&](PartitionLog& log) { return append_here(log, bytes, appended, until); }, until);
  if (!done && done.error().code == Errc::not_durable) return tl::unexpected(done.error());  // it was not tried
  if (!done) return give_up(done.error()).map([] { return Offset(0); });
  // The log has stamped it, which a leader after this one does anew.
  open_.push_back({{bytes.begin(), bytes.end()}, record_count, appended, {place_of(appended)}});
  open_bytes_ += bytes.size();
  sent_ += record_count;
  PG_CHECK(take_done());
  while (open_bytes_ > kOpenBytesMax) PG_CHECK(wait_for(oldest_kept(), false, deadline()));
  return appended.base_offset;
}

// The first that is not committed, as far as is known. Those before it may be open still, until they are on stable
// storage.
const ReplicatedWriter::Batch& ReplicatedWriter::oldest_kept() const {
  return *std::find_if(open_.begin(), open_.end(), [](const Batch& batch) { return !batch.bytes.empty(); });
}

Result<> ReplicatedWriter::append_here(PartitionLog& log, MutableBytes bytes, Appended& appended, Deadline until) {
  if (options_.acks == Acks::all) PG_CHECK(await_enough_in_sync(log, until));
  PG_ASSIGN(appended, log.append(bytes, until));
  return {};
}

Result<> ReplicatedWriter::await_enough_in_sync(const PartitionLog& log, Deadline until) {
  for (;;) {
    const auto state = log.current_state();
    if (!state) return was_replaced();
    const StatePage& page = state->page();
    const InSync in_sync = confirmed_in_sync(page);
    if (!has_too_few(page, in_sync)) return {};
    if (!state->leads_in(in_sync.epoch)) return was_replaced();
    if (stop_is_overdue() || home_.env().clock.now() >= until) return tl::unexpected(too_few(*state));
    home_.env().clock.wait({}, kLookInterval);
  }
}

Error ReplicatedWriter::too_few(const PartitionState& state) const {
  const StatePage& page = state.page();
  const InSync in_sync = confirmed_in_sync(page);
  std::string missing;
  for (size_t i = 0; i < StatePage::kSlots; ++i) {
    const int32_t broker = page.slots[i].broker.load();
    if (broker >= 0 && !in_sync.has(i)) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", broker);
  }
  return {Errc::not_durable,
          fmt::format("'{}-{}' has {} of min.insync.replicas={} replicas in sync: missing on broker {}", topic_.name,
                      partition_.value, std::popcount(in_sync.mask), page.min_in_sync.load(), missing),
          {},
          {},
          0};
}

// Whether the batch is where acks and flush want it, now. fenced: nobody knows.
Result<bool> ReplicatedWriter::reached(const Batch& batch, bool flushed) {
  const auto state = log_->current_state();
  if (!state) return was_replaced().map([] { return false; });
  const LeaderEpoch epoch = batch.appended.leader_epoch;
  const Offset end = batch.appended.end_offset;
  Reached there = Reached::yes;
  if (options_.acks == Acks::all)
    there = state->has_reached(epoch, end, flushed);
  else if (flushed && Offset(state->page().flushed.load()) < end)
    there = Reached::no;
  if (there == Reached::unknown || !state->leads_in(epoch)) return was_replaced().map([] { return false; });
  return there == Reached::yes;
}

// Hands on what is done, and lets go of what is committed. A changed leader is noticed by who waits.
Result<> ReplicatedWriter::take_done() {
  while (!open_.empty()) {
    const auto there = reached(open_.front(), options_.flush);
    if (!there || !*there) break;
    if (done_) PG_CHECK(done_(open_.front().appended.base_offset, open_.front().record_count));
    open_bytes_ -= open_.front().bytes.size();
    open_.pop_front();
  }
  for (Batch& batch : open_) {
    if (batch.bytes.empty()) continue;
    const auto committed = reached(batch, false);
    if (!committed || !*committed) break;
    open_bytes_ -= batch.bytes.size();
    batch.bytes = {};
  }
  return {};
}

Result<> ReplicatedWriter::wait_for(const Batch& batch, bool flushed, Deadline until) {
  PG_CHECK(at_leader([&](PartitionLog& log) { return wait_here(log, batch.appended, flushed, until); }, until));
  return take_done();
}

Result<> ReplicatedWriter::wait_here(PartitionLog& log, const Appended& appended, bool flushed, Deadline until) const {
  if (options_.acks != Acks::all) {
    if (flushed) PG_CHECK(log.flush(until));
    const auto state = log.current_state();
    return state && state->leads_in(appended.leader_epoch) ? Result<>() : was_replaced();
  }
  const auto waited = flushed ? make_durable(log, appended, until) : log.wait_committed(appended, false, until);
  const auto state = log.current_state();
  if (waited || waited.error().code != Errc::timed_out || !state || !has_too_few(state->page())) return waited;
  Error error = too_few(*state);
  error.what += "; records may have been written";
  return tl::unexpected(std::move(error));
}

Result<> ReplicatedWriter::settle(bool flushed) {
  if (failed_) return tl::unexpected(*failed_);
  if (open_.empty()) {
    if (log_ && (!log_->current_state() || log_->current_state()->is_stale().value_or(true))) log_.reset();
    return {};
  }
  PG_CHECK(take_done());
  if (options_.flush && !flushed) {
    // Committed is enough for now; what is done later is handed on then.
    if (!open_.empty() && !open_.back().bytes.empty()) PG_CHECK(wait_for(open_.back(), false, deadline()));
    return {};
  }
  while (!open_.empty()) PG_CHECK(wait_for(open_.back(), options_.flush, deadline()));
  return {};
}

Result<> ReplicatedWriter::rely_on_log() {
  const Deadline until = deadline();
  return at_leader(
      [&](PartitionLog& log) -> Result<> {
        PG_ASSIGN(const auto state, leading_state(log));
        const LeaderEpoch epoch =
            state->leader_epoch();  // before the end, which then belongs to it if it leads to the last
        const Offset end = state->position().log_end;
        return wait_here(log, {end, end, epoch}, options_.flush, until);
      },
      until);
}

}  // namespace pg
