#include "core/local/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/local/offset_place.h"
#include "core/os/signals.h"
#include "core/store/leader.h"

namespace pg {
namespace {

// How often the metadata is asked who leads, while nobody does.
constexpr Duration kLeaderLookInterval = std::chrono::milliseconds(10);
constexpr Duration kOpenPatience = std::chrono::seconds(1);

// An open transaction is normal. A following consumer reports one only after it has waited so long for it, or if it is
// older than Kafka allows (transaction.timeout.ms).
constexpr Duration kTransactionPatience = std::chrono::seconds(10);
constexpr int64_t kTransactionTimeoutMs = 60'000;

// Whether the place depends on how far the log can be read.
bool counts_from_end(const Place& place) {
  return place.kind == Place::Kind::end || place.kind == Place::Kind::before_end;
}

}  // namespace

std::string held_back_text(const TopicPartition& partition, const OpenTransaction& first, int64_t now_ms) {
  return fmt::format(
      "'{}-{}' can be read up to offset {} only, where a transaction has not ended: {}; if its producer cannot return, "
      "'pg-topic repair --abort-transactions {}' ends it",
      partition.topic, partition.partition.value, first.first_offset.value, first.text(now_ms), partition.topic);
}

Result<FetchedRecords> FetchedRecords::begin(const FetchedBatch& fetched) {
  BatchHeader header = fetched.batch.header;
  ByteView bytes = fetched.batch.bytes;
  if (header.is_control() || fetched.aborted) {
    header.record_count = 0;
    bytes = bytes.first(kBatchHeaderBytes);
  }
  auto cursor = RecordCursor::begin(bytes, header, *fetched.decompressor);
  if (cursor) return FetchedRecords(fetched, std::move(*cursor));
  cursor.error().path = fmt::format("partition {} of '{}'", fetched.source->partition.value, fetched.source->topic);
  return tl::unexpected(std::move(cursor).error());
}

Result<bool> FetchedRecords::next(ConsumedRecord& record) {
  for (;;) {
    PG_ASSIGN(const bool more, cursor_.next(record));
    if (!more || record.offset >= fetched_.to) return false;
    if (record.offset < fetched_.from) continue;
    record.source = fetched_.source;
    record.leader_epoch = fetched_.batch.header.leader_epoch;
    record.timestamp_type = fetched_.batch.header.timestamp_type();
    return true;
  }
}

Result<std::unique_ptr<LocalConsumer>> LocalConsumer::open(Home& home, ConsumerOptions options,
                                                           HeldBackNote held_back) {
  std::unique_ptr<LocalConsumer> consumer(new LocalConsumer(home, std::move(options), std::move(held_back)));
  for (const auto& name : consumer->options_.topics) {
    PG_ASSIGN(const TopicMetadata topic, home.describe_topic(name));
    if (consumer->options_.partitions.empty()) {
      for (size_t p = 0; p < topic.partitions.size(); ++p) {
        PG_CHECK(consumer->add_source(topic, PartitionId(static_cast<int32_t>(p))));
      }
    }
    for (const PartitionId partition : consumer->options_.partitions) PG_CHECK(consumer->add_source(topic, partition));
  }
  if (consumer->out_of_range_) {
    if (consumer->sources_.empty()) return tl::unexpected(*consumer->out_of_range_);
    home.env().notice(consumer->out_of_range_->message() + "; this partition is left out");
  }
  return consumer;
}

Result<> LocalConsumer::add_source(const TopicMetadata& topic, PartitionId partition) {
  PG_ASSIGN(auto log, open_committed(home_, topic, partition, home_.env().clock.after(options_.timeout)));
  const auto state = log->current_state();
  const Offset log_start = state->position().log_start, end = state->high_watermark();
  Offset stable_end = end;
  if (counts_from_end(options_.from)) {
    PG_ASSIGN(stable_end, readable_end(*log, options_.isolation));
  }
  PG_ASSIGN(const Offset from,
            resolve_place(*log, options_.from, log_start, stable_end, options_.skip_damage != nullptr));
  if (from < log_start || from > end) {
    if (!out_of_range_) {
      out_of_range_ = Error{
          Errc::out_of_range,
          fmt::format("'{}' has no offset {}: it holds {} to {}", log->name(), from.value, log_start.value, end.value),
          {},
          {},
          0};
    }
    return {};
  }
  std::optional<Offset> to;
  if (!options_.follow) to = end;
  if (options_.to) {
    PG_ASSIGN(const Offset wanted, resolve_place(*log, *options_.to, log_start, end, options_.skip_damage != nullptr));
    to = std::min(wanted, to.value_or(wanted));
  }
  from_start_ &= from == log_start;
  begin_reading({topic.name, partition}, std::move(log), from, to);
  return {};
}

void LocalConsumer::begin_reading(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from,
                                  std::optional<Offset> to) {
  auto source = std::make_unique<Source>();
  source->partition = partition;
  source->log = std::move(log);
  source->to = to;
  source->reader.emplace(*source->log, from);
  source->begins_behind = options_.isolation == Isolation::read_committed;
  source->epochs.begin(*source->log);
  source->begun = source->epochs.epoch();
  sources_.push_back(std::move(source));
}

void LocalConsumer::add(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from) {
  EpochGuard epochs;
  epochs.begin(*log);
  add(partition, std::move(log), from, std::move(epochs));
}

void LocalConsumer::add(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from,
                        EpochGuard epochs) {
  const Offset end = log->current_state()->high_watermark();
  begin_reading(partition, std::move(log), from, options_.follow ? std::nullopt : std::optional(end));
  sources_.back()->epochs = std::move(epochs);
}

void LocalConsumer::remove(const TopicPartition& partition) {
  std::erase_if(sources_, [&](const auto& source) { return source->partition == partition; });
  turn_ = 0;
}

std::optional<Offset> LocalConsumer::next_offset(const TopicPartition& partition) const {
  for (const auto& source : sources_) {
    if (source->partition == partition) return source->reader->next_offset();
  }
  return std::nullopt;
}

Result<std::optional<ConsumedBatch>> LocalConsumer::poll(Deadline deadline) {
  PG_ASSIGN(const auto fetched, fetch_next(deadline));
  if (!fetched) return std::nullopt;
  return hand_out(*fetched);
}

ConsumedBatch LocalConsumer::hand_out(const FetchedBatch& fetched) {
  auto records = FetchedRecords::begin(fetched);
  records_.reset();
  BatchRecords* handed_out = nullptr;
  if (records) {
    handed_out = &records_.emplace(std::move(*records));
  } else {
    handed_out = &unreadable_.emplace(std::move(records).error());
  }
  const BatchHeader& header = fetched.batch.header;
  return {.source = fetched.source,
          .from = fetched.from,
          .end = fetched.end(),
          .leader_epoch = header.leader_epoch,
          .timestamp_type = header.timestamp_type(),
          .size_bytes = header.size_bytes(),
          .aborted = fetched.aborted,
          .records = handed_out};
}

Result<std::optional<FetchedBatch>> LocalConsumer::fetch_next(Deadline deadline) {
  const Deadline patience = home_.env().clock.after(options_.timeout);
  for (;;) {
    for (size_t tried = 0; tried < sources_.size(); ++tried) {
      Source& source = *sources_[turn_];
      turn_ = (turn_ + 1) % sources_.size();
      PG_ASSIGN(const auto fetched, fetch(source));
      if (fetched) return fetched;
    }
    if (at_end() || (options_.follow && home_.env().clock.now() >= deadline)) return std::nullopt;
    // A new leader takes a moment to know what is committed.
    if (!options_.follow && home_.env().clock.now() >= patience) {
      return fail(Errc::timed_out,
                  "timed out waiting for records that were committed when this began: see 'pg-cluster status'");
    }
    PG_CHECK(wait(options_.follow ? deadline : patience));
  }
}

Result<std::optional<FetchedBatch>> LocalConsumer::fetch(Source& source) {
  if (source.done()) return std::nullopt;
  auto fetched = fetch_here(source);
  if (!must_move(source, fetched)) return fetched;
  // What one replica cannot give, another one may: it is asked for as soon as it leads.
  if (!fetched) note_fault(*source.log, fetched.error());
  Clock& clock = home_.env().clock;
  const Deadline until = clock.after(options_.timeout);
  for (;;) {
    let_go_of_stale();  // and it may be there again itself
    PG_ASSIGN(const bool moved, move_to_leader(source));
    if (moved || !fetched) fetched = fetch_here(source);
    if (fetched || clock.now() >= until || stop_signal() != 0) return fetched;
    clock.wait({}, kLeaderLookInterval);
  }
}

// A replaced state can be rebuilt only when no process has it open. So a consumer that waits for one partition lets go
// of the replaced states of others.
void LocalConsumer::let_go_of_stale() {
  for (auto& source : sources_) {
    if (source->log->spec().replicated) (void)source->log->state(home_.env().clock.now());
  }
}

// Whether the log at hand may not be the leader's any more.
bool LocalConsumer::must_move(const Source& source, const Result<std::optional<FetchedBatch>>& fetched) const {
  if (!source.log->spec().replicated || (fetched && *fetched)) return false;
  const auto state = source.log->current_state();
  return !fetched || !state || !state->leads_in(state->leader_epoch());
}

// False: the metadata knows no other leader yet.
Result<bool> LocalConsumer::move_to_leader(Source& source) {
  const Deadline now = home_.env().clock.now();
  if (now - source.looked < kLeaderLookInterval) return false;
  source.looked = now;
  const auto topic = home_.describe_topic(source.partition.topic);
  if (!topic || topic->id != source.log->spec().topic_id) {
    return fail(Errc::not_found, fmt::format("topic '{}' was deleted", source.partition.topic));
  }
  auto log = home_.open_partition(*topic, source.partition.partition, Access::read_write, now + kOpenPatience);
  if (!log) return false;
  const auto state = (*log)->current_state();
  if (!state->leads_in(topic->partitions[static_cast<size_t>(source.partition.partition.value)].leader_epoch))
    return false;
  const Offset next = source.reader->next_offset();
  source.reader.reset();
  source.transactions.reset();
  source.log = std::move(*log);
  source.reader.emplace(*source.log, next);
  source.epochs.move();
  return true;
}

// Whether the log lacks records below `passed`. Then this says so, and the reader is back at the first of them.
Result<bool> LocalConsumer::go_back_if_lost(Source& source, Offset passed) {
  const LeaderEpoch epoch = source.epochs.epoch();
  PG_ASSIGN(const Offset shared, source.epochs.compare(*source.log, passed));
  PG_CHECK(lower_lost_end(source));
  if (shared >= passed) return false;
  const auto state = source.log->current_state();
  if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", source.log->name()));
  // Records that were deleted since then are not lost.
  const Offset next = std::max(shared, std::min(state->position().log_start, passed));
  const LostRecords lost{source.partition, shared, passed, epoch, next, state->leader_epoch()};
  if (options_.on_lost) PG_CHECK(options_.on_lost(lost));
  home_.env().notice(pilgrimage::describe(lost));
  source.reader.emplace(*source.log, next);
  source.transactions.reset();
  source.held.reset();
  source.begins_behind = options_.isolation == Isolation::read_committed;
  return true;
}

// Without `follow` a consumer reads to the end that the log had when it began. If that end was lost, it reads to what
// is left.
Result<> LocalConsumer::lower_lost_end(Source& source) {
  if (options_.follow || !source.to) return {};
  PG_ASSIGN(const Offset end, shared_end(*source.log, EpochTrail(source.begun), *source.to));
  if (end >= *source.to) return {};
  home_.env().notice(
      fmt::format("'{}' has lost offsets {} to {}, which were there when reading began: it is read to {}",
                  source.log->name(), end.value, source.to->value - 1, end.value));
  source.to = end;
  return {};
}

Result<std::optional<FetchedBatch>> LocalConsumer::fetch_here(Source& source) {
  for (;;) {
    const auto state = source.log->current_state();
    if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", source.log->name()));
    const Offset from = source.reader->next_offset();
    if (source.epochs.is_due(*source.log, *state)) {
      PG_ASSIGN(const bool went_back, go_back_if_lost(source, from));
      if (went_back) continue;
    }
    if (source.begins_behind) PG_CHECK(look_behind(source));
    if (source.held) {
      PG_ASSIGN(const bool held, is_held_back(source));
      if (held) return std::nullopt;
    }
    Offset end = state->high_watermark();
    if (source.to) end = std::min(end, *source.to);
    auto read = read_batch(source, end);
    // A missing file is no fault of the disk's where somebody deleted the topic.
    if (!read && read.error().code == Errc::not_found) PG_CHECK(state->check_not_deleted());
    PG_ASSIGN(const auto batch, std::move(read));
    if (!batch) return std::nullopt;
    FetchedBatch fetched{&source.partition, *batch, std::max(from, batch->header.base_offset),
                         source.to.value_or(batch->header.end_offset()), &decompressor_};
    if (source.epochs.is_due(batch->header)) {
      PG_ASSIGN(const bool went_back, go_back_if_lost(source, fetched.from));
      if (went_back) continue;
    }
    source.epochs.read(batch->header, fetched.from);
    if (options_.isolation == Isolation::read_uncommitted || !batch->header.is_undecided()) return fetched;
    PG_ASSIGN(const bool decided, decide_or_hold_back(source, fetched));
    if (decided) return fetched;
  }
}

// Whether the outcome of the batch's transaction is known. If not, the consumer reads the batch again later, or skips
// it as damage.
Result<bool> LocalConsumer::decide_or_hold_back(Source& source, FetchedBatch& fetched) {
  const auto decided = decide(source, fetched);
  if (decided && *decided) return true;
  if (!decided && skips(decided.error())) {
    options_.skip_damage({source.partition, fetched.from, fetched.end(), decided.error()});
    return false;
  }
  const BatchHeader header = fetched.batch.header;
  source.reader.emplace(*source.log, fetched.from);  // it is read again, once its transaction has ended
  PG_CHECK(decided);
  hold_back(source, {.producers = {header.producer.id},
                     .first = {.producer_id = header.producer.id,
                               .producer_epoch = header.producer.epoch,
                               .first_offset = header.base_offset,
                               .since_ms = header.base_timestamp_ms}});
  return false;
}

// False: the batch's transaction is open.
Result<bool> LocalConsumer::decide(Source& source, FetchedBatch& fetched) {
  PG_ASSIGN(const auto outcome, outcome_of(source, fetched.batch.header.producer.id, fetched.from));
  fetched.aborted = outcome == TransactionOutcomes::Outcome::aborted;
  return outcome.has_value();
}

Result<std::optional<TransactionOutcomes::Outcome>> LocalConsumer::outcome_of(Source& source, int64_t producer_id,
                                                                              Offset offset) {
  if (!source.transactions) source.transactions.emplace(*source.log, options_.skip_damage != nullptr);
  return source.transactions->of(producer_id, offset, source.log->current_state()->high_watermark());
}

// A consumer that begins in the middle of a log may begin behind its last stable offset.
Result<> LocalConsumer::look_behind(Source& source) {
  const auto state = source.log->current_state();
  const Offset from = source.reader->next_offset();
  if (from > state->position().log_start) {
    PG_ASSIGN(const auto open, open_transactions(*source.log, state->high_watermark()));
    HeldBack held;
    for (const auto& transaction : open) {
      if (transaction.first_offset >= from) break;
      if (held.producers.empty()) held.first = transaction;
      held.producers.push_back(transaction.producer_id);
    }
    if (!held.producers.empty()) hold_back(source, std::move(held));
  }
  source.begins_behind = false;
  return {};
}

void LocalConsumer::hold_back(Source& source, HeldBack held) {
  const int64_t since_ms = held.first.since_ms;
  const bool overdue = since_ms >= 0 && home_.env().clock.wall_ms() - since_ms > kTransactionTimeoutMs;
  held.say_so = overdue || !options_.follow ? Deadline::min() : home_.env().clock.after(kTransactionPatience);
  source.held = std::move(held);
}

Result<bool> LocalConsumer::is_held_back(Source& source) {
  auto& producers = source.held->producers;
  for (; !producers.empty(); producers.pop_back()) {
    const auto outcome = outcome_of(source, producers.back(), source.reader->next_offset());
    if (!outcome && !skips(outcome.error())) return tl::unexpected(outcome.error());
    if (!outcome || *outcome) continue;
    if (home_.env().clock.now() >= source.held->say_so) say_held_back(source);
    if (!options_.follow) source.to = source.reader->next_offset();
    return true;
  }
  source.held.reset();
  return false;
}

void LocalConsumer::say_held_back(Source& source) {
  source.held->say_so = kNoDeadline;
  const OpenTransaction& first = source.held->first;
  if (held_back_) return held_back_(source.partition, first);
  home_.env().notice(held_back_text(source.partition, first, home_.env().clock.wall_ms()));
}

Result<std::optional<ScannedBatch>> LocalConsumer::read_batch(Source& source, Offset end) {
  for (;;) {
    auto batch = source.reader->next(end);
    if (batch || !skips(batch.error())) return batch;
    const Offset from = source.reader->next_offset();
    PG_CHECK(source.reader->skip_damage(end));
    options_.skip_damage({source.partition, from, std::min(source.reader->next_offset(), end), batch.error()});
  }
}

bool LocalConsumer::at_end() const {
  return std::all_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->done(); });
}

// Sleeps until one of the partitions has something new. The sleep is bounded, and after it each partition is looked at
// afresh: a writer that died before it woke anybody, a replaced page, a deleted topic.
Result<> LocalConsumer::wait(Deadline deadline) {
  Clock& clock = home_.env().clock;
  std::vector<WakeWord> words;
  std::vector<std::shared_ptr<PartitionState>> states;
  bool news = false;
  let_go_of_stale();
  for (auto& source : sources_) {
    if (source->done()) continue;
    auto opened = source->log->state(clock.after(options_.timeout));
    if (!opened && source->log->spec().replicated && may_be_led_elsewhere(opened.error())) {
      PG_ASSIGN(const bool moved, move_to_leader(*source));
      if (!source->failing) source->failing = clock.now();
      if (moved || clock.now() - *source->failing < options_.timeout) {
        clock.wait({}, kLeaderLookInterval);
        return {};
      }
    }
    source->failing.reset();
    PG_ASSIGN(auto state, std::move(opened));
    PG_CHECK(state->check_not_deleted());
    words.push_back(state->prepare_to_sleep());
    news |= state->high_watermark() > source->seen_to();
    states.push_back(std::move(state));  // keeps the words mapped
  }
  if (!news) clock.wait(words, std::min<Duration>(kSleepPollInterval, time_left(deadline, clock.now())));
  return {};
}

Result<std::optional<ConsumedRecord>> LocalConsumer::next_record(Deadline deadline) {
  for (;;) {
    auto record = next_of_batch();
    if (!record && skips(record.error())) {
      options_.skip_damage({*batch_->source, next_, batch_->end, record.error()});
    } else if (!record || *record) {
      return record;
    }
    PG_ASSIGN(batch_, poll(deadline));
    if (!batch_) return std::nullopt;
    next_ = batch_->from;
  }
}

Result<std::optional<ConsumedRecord>> LocalConsumer::next_of_batch() {
  if (!batch_) return std::nullopt;
  ConsumedRecord record;
  PG_ASSIGN(const bool more, batch_->next(record));
  if (!more) return std::nullopt;
  next_ = record.offset + 1;
  return record;
}

}  // namespace pg

namespace pilgrimage {

std::string describe(const LostRecords& lost) {
  const int64_t count = lost.to - lost.from;
  return fmt::format(
      "'{}-{}' has lost {} that this reader has passed, {} to {}, read in leader epoch {}: it goes on at {}",
      lost.partition.topic, lost.partition.partition.value, count == 1 ? "1 offset" : fmt::format("{} offsets", count),
      lost.from.value, lost.to.value - 1, lost.epoch.value, lost.next.value);
}

}  // namespace pilgrimage
