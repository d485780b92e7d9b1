#include "core/client/replicated_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "core/log/log_reader.h"
#include "core/log/replica_words.h"
#include "core/os/signals.h"
#include "core/store/leader.h"

namespace pg {
namespace {

// What may be under way: enough to keep the followers busy, and no more than is worth to keep.
constexpr size_t kOpenBytesMax = 32 << 20;
constexpr Duration kLookInterval = std::chrono::milliseconds(10);
// The controller looks every few hundredths of a second.
constexpr Duration kRoomPatience = std::chrono::seconds(1);

}  // namespace

ReplicatedWriter::ReplicatedWriter(const Home& home, TopicMetadata topic, PartitionId partition, Options options, int64_t producer_id, Done done)
    : home_(home),
      topic_(std::move(topic)),
      partition_(partition),
      options_(options),
      producer_id_(producer_id),
      done_(std::move(done)) {}

Deadline ReplicatedWriter::deadline() const { return home_.env().clock.after(options_.timeout); }

Result<> ReplicatedWriter::open() { return find_leader(deadline()); }

// Waits until somebody leads, and sends again what that leader lacks. It may be replaced meanwhile.
Result<> ReplicatedWriter::find_leader(Deadline until) {
  for (;;) {
    log_.reset();  // as long as it is open, its state cannot be made anew
    auto log = open_leader(home_, topic_, partition_, until);
    if (!log) {
      if (!open_.empty() && log.error().code == Errc::not_leader) log.error().what += "; records may have been written";
      return give_up(log.error());
    }
    log_ = std::move(*log);
    const auto resent = resend(until);
    if (resent) return {};
    if (!may_be_led_elsewhere(resent.error()) || home_.env().clock.now() >= until) return give_up(resent.error());
    home_.env().clock.wait({}, kLookInterval);
  }
}

Result<> ReplicatedWriter::give_up(Error error) {
  failed_ = error;
  return tl::unexpected(std::move(error));
}

// In order. Once one is missing, so are those after it.
Result<> ReplicatedWriter::resend(Deadline until) {
  bool is_missing = false;
  const LeaderEpoch epoch = log_->current_state()->leader_epoch();
  for (Batch& batch : open_) {
    if (!batch.bytes.empty() && batch.appended.leader_epoch != epoch) {
      if (!is_missing) {
        PG_ASSIGN(const bool there, is_there(batch));
        is_missing = !there;
      }
      if (is_missing) {
        PG_ASSIGN(batch.appended, log_->append(batch.bytes, until));
      }
    }
    batch.appended.leader_epoch = epoch;  // of one that was committed: every leader has it
  }
  return {};
}

Result<bool> ReplicatedWriter::is_there(const Batch& batch) const {
  const auto position = log_->current_state()->position();
  if (batch.appended.end_offset > position.log_end) return false;
  LogReader reader(*log_, batch.appended.base_offset);
  PG_ASSIGN(const auto found, reader.next(position.log_end));
  if (!found || found->header.base_offset != batch.appended.base_offset) return false;
  const ProducerStamp mine = read_batch_header(batch.bytes).producer;
  return found->header.producer == mine;
}

Result<Offset> ReplicatedWriter::append(MutableBytes bytes, int32_t record_count) {
  if (failed_) return tl::unexpected(*failed_);
  const Deadline until = deadline();
  if (!log_) PG_CHECK(find_leader(until));
  if (options_.acks == Acks::all) PG_CHECK(await_enough_in_sync(until));
  const auto appended = append_somewhere(bytes, until);
  if (!appended) return give_up(appended.error()).map([] { return Offset(0); });
  // The log has stamped it, which a leader after this one does anew.
  open_.push_back({{bytes.begin(), bytes.end()}, record_count, *appended});
  open_bytes_ += bytes.size();
  sent_ += record_count;
  PG_CHECK(take_done());
  while (open_bytes_ > kOpenBytesMax) PG_CHECK(wait_for(open_.front(), false, deadline()));
  return appended->base_offset;
}

Result<Appended> ReplicatedWriter::append_somewhere(MutableBytes bytes, Deadline until) {
  for (;;) {
    const auto appended = log_->append(bytes, until);
    if (appended) return appended;
    if (appended.error().code == Errc::no_space) {
      PG_ASSIGN(const bool moved, await_room(until));
      if (!moved) return appended;
    } else if (!may_be_led_elsewhere(appended.error()) || home_.env().clock.now() >= until) {
      return appended;
    } else if (!has_moved(appended.error())) {
      home_.env().clock.wait({}, kLookInterval);  // its broker and the controller see it too
    }
    PG_CHECK(find_leader(until));
  }
}

// The leader's disk is full: another replica in sync may have room, and then it is elected. False: none has.
Result<bool> ReplicatedWriter::await_room(Deadline until) {
  Clock& clock = home_.env().clock;
  const auto state = log_->current_state();
  if (!state) return true;
  state->page().full.store(1);
  const LeaderEpoch epoch = state->leader_epoch();
  const Deadline patience = std::min(until, clock.after(kRoomPatience));
  while (state->leads_in(epoch)) {
    if (clock.now() >= patience || stop_signal() != 0) return false;
    clock.wait({}, kLookInterval);
  }
  return true;
}

Result<> ReplicatedWriter::await_enough_in_sync(Deadline until) {
  for (;;) {
    const auto state = log_->current_state();
    if (!state) {
      PG_CHECK(find_leader(until));
      continue;
    }
    const StatePage& page = state->page();
    const InSync in_sync = InSync::unpack(page.in_sync.load());
    if (std::cmp_greater_equal(std::popcount(in_sync.mask), page.min_in_sync.load())) return {};
    if (!state->leads_in(in_sync.epoch)) {
      PG_CHECK(find_leader(until));
      continue;
    }
    if (stop_is_overdue() || home_.env().clock.now() >= until) return tl::unexpected(too_few(*state));
    home_.env().clock.wait({}, kLookInterval);
  }
}

Error ReplicatedWriter::too_few(const PartitionState& state) const {
  const StatePage& page = state.page();
  const InSync in_sync = InSync::unpack(page.in_sync.load());
  std::string missing;
  for (size_t i = 0; i < StatePage::kSlots; ++i) {
    const int32_t broker = page.slots[i].broker.load();
    if (broker >= 0 && !in_sync.has(i)) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", broker);
  }
  return {Errc::not_durable, fmt::format("'{}-{}' has {} of min.insync.replicas={} replicas in sync: missing on broker {}", topic_.name, partition_.value,
                                         std::popcount(in_sync.mask), page.min_in_sync.load(), missing), {}, {}, 0};
}

// Whether the batch is where acks and flush want it, now. fenced: nobody knows.
Result<bool> ReplicatedWriter::reached(const Batch& batch, bool flushed) {
  const auto state = log_->current_state();
  if (!state) return fail(Errc::fenced, "the state was replaced");
  const Offset end = batch.appended.end_offset;
  bool there = true;
  if (options_.acks == Acks::all) there = (flushed ? state->flushed_everywhere() : state->high_watermark()) >= end;
  else if (flushed) there = Offset(state->page().flushed.load()) >= end;
  // Read last: see PartitionLog::wait_committed.
  if (!state->leads_in(batch.appended.leader_epoch)) return fail(Errc::fenced, "the leader changed");
  return there;
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
  for (;;) {
    Result<> waited;
    if (flushed && options_.acks == Acks::all) waited = make_durable(*log_, batch.appended, until);
    else if (flushed) waited = log_->flush(until).map([](Offset) {});
    else if (options_.acks == Acks::all) waited = log_->wait_committed(batch.appended, false, until);
    if (waited && options_.acks != Acks::all && log_->current_state() && !log_->current_state()->leads_in(batch.appended.leader_epoch)) waited = fail(Errc::fenced, "the leader changed");
    if (!waited && waited.error().code == Errc::timed_out && options_.acks == Acks::all) {
      const auto state = log_->current_state();
      if (!state) return waited;
      const bool few = std::cmp_less(std::popcount(InSync::unpack(state->page().in_sync.load()).mask), state->page().min_in_sync.load());
      if (few) {
        Error error = too_few(*state);
        error.what += "; records may have been written";
        return tl::unexpected(error);
      }
    }
    if (waited) return take_done();
    if (!may_be_led_elsewhere(waited.error()) || home_.env().clock.now() >= until) return waited;
    if (!has_moved(waited.error())) home_.env().clock.wait({}, kLookInterval);
    PG_CHECK(find_leader(until));
  }
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
  if (!log_) PG_CHECK(find_leader(deadline()));
  const auto state = log_->current_state();
  const Offset end = state->position().log_end;
  const Appended upto{end, end, state->leader_epoch()};
  if (options_.acks != Acks::all) return options_.flush ? log_->flush(deadline()).map([](Offset) {}) : Result<>();
  return options_.flush ? make_durable(*log_, upto, deadline()) : log_->wait_committed(upto, false, deadline());
}

}  // namespace pg
