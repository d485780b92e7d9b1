#include "core/client/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace pg {

Result<Offset> resolve_place(PartitionLog& log, const Place& place, Offset log_start, Offset end) {
  switch (place.kind) {
    case Place::Kind::start: return log_start;
    case Place::Kind::end: return end;
    case Place::Kind::after_start: return log_start + std::min(place.value, end - log_start);
    case Place::Kind::before_end: return std::max(log_start, end + -place.value);
    case Place::Kind::timestamp: return find_offset_by_time(log, place.value, log_start, end);
    case Place::Kind::offset: return Offset(place.value);
  }
  return log_start;
}

Result<FetchedRecords> FetchedRecords::begin(const FetchedBatch& fetched) {
  auto cursor = RecordCursor::begin(fetched.batch.bytes, fetched.batch.header, *fetched.decompressor);
  if (cursor) return FetchedRecords(fetched, std::move(*cursor));
  cursor.error().path = fmt::format("partition {} of '{}'", fetched.source->partition.value, fetched.source->topic);
  return tl::unexpected(std::move(cursor).error());
}

Result<bool> FetchedRecords::next(ConsumedRecord& record) {
  if (fetched_.batch.header.is_control()) return false;
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

Result<std::unique_ptr<Consumer>> Consumer::open(Home& home, ConsumerOptions options) {
  std::unique_ptr<Consumer> consumer(new Consumer(home, std::move(options)));
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

Result<> Consumer::add_source(const TopicMetadata& topic, PartitionId partition) {
  auto source = std::make_unique<Source>();
  source->partition = {topic.name, partition};
  PG_ASSIGN(source->log, home_.open_partition(topic, partition, Access::read_write, home_.env().clock.after(options_.timeout)));
  const auto state = source->log->current_state();
  const Offset log_start = state->position().log_start, end = state->high_watermark();
  PG_ASSIGN(source->from, resolve_place(*source->log, options_.from, log_start, end));
  if (source->from < log_start || source->from > end) {
    if (!out_of_range_) {
      out_of_range_ = Error{Errc::out_of_range, fmt::format("'{}' has no offset {}: it holds {} to {}", source->log->name(),
                                                            source->from.value, log_start.value, end.value), {}, {}, 0};
    }
    return {};
  }
  if (options_.to) {
    PG_ASSIGN(source->to, resolve_place(*source->log, *options_.to, log_start, end));
    if (!options_.follow) source->to = std::min(*source->to, end);
  } else if (!options_.follow) {
    source->to = end;
  }
  source->reader.emplace(*source->log, source->from);
  sources_.push_back(std::move(source));
  return {};
}

Result<std::optional<FetchedBatch>> Consumer::poll(Deadline deadline) {
  for (;;) {
    for (size_t tried = 0; tried < sources_.size(); ++tried) {
      Source& source = *sources_[turn_];
      turn_ = (turn_ + 1) % sources_.size();
      PG_ASSIGN(const auto fetched, fetch(source));
      if (fetched) return fetched;
    }
    if (!options_.follow || at_end() || home_.env().clock.now() >= deadline) return std::nullopt;
    PG_CHECK(wait(deadline));
  }
}

Result<std::optional<FetchedBatch>> Consumer::fetch(Source& source) {
  if (source.done()) return std::nullopt;
  const auto state = source.log->current_state();
  Offset end = state->high_watermark();
  if (source.to) end = std::min(end, *source.to);
  const Offset from = source.reader->next_offset();
  auto read = source.reader->next(end);
  // A missing file is no fault of the disk's where somebody deleted the topic.
  if (!read && read.error().code == Errc::not_found) PG_CHECK(state->check_not_deleted());
  PG_ASSIGN(const auto batch, std::move(read));
  if (!batch) return std::nullopt;
  return FetchedBatch{&source.partition, *batch, from, source.to.value_or(batch->header.end_offset()), &decompressor_};
}

bool Consumer::at_end() const {
  return std::all_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->done(); });
}

// Sleeps until one of the partitions has something new. The sleep is bounded, and after it each partition is looked at
// afresh: a writer that died before it woke anybody, a replaced page, a deleted topic.
Result<> Consumer::wait(Deadline deadline) {
  Clock& clock = home_.env().clock;
  std::vector<WakeWord> words;
  std::vector<std::shared_ptr<PartitionState>> states;
  bool news = false;
  for (auto& source : sources_) {
    if (source->done()) continue;
    PG_ASSIGN(auto state, source->log->state(clock.after(options_.timeout)));
    PG_CHECK(state->check_not_deleted());
    words.push_back(state->prepare_to_sleep());
    news |= state->high_watermark() > source->reader->next_offset();
    states.push_back(std::move(state));  // keeps the words mapped
  }
  if (!news) clock.wait(words, std::min<Duration>(kSleepPollInterval, deadline - clock.now()));
  return {};
}

Result<std::optional<ConsumedRecord>> Consumer::next_record(Deadline deadline) {
  for (;;) {
    ConsumedRecord record;
    if (records_) {
      PG_ASSIGN(const bool more, records_->next(record));
      if (more) return record;
      records_.reset();
    }
    PG_ASSIGN(const auto fetched, poll(deadline));
    if (!fetched) return std::nullopt;
    PG_ASSIGN(records_, FetchedRecords::begin(*fetched));
  }
}

OwnedRecord::OwnedRecord(const ConsumedRecord& record)
    : source_(*record.source), record_(record), headers_(as_text(record.header_bytes)) {
  if (record.key) key_ = std::string(*record.key);
  if (record.value) value_ = std::string(*record.value);
}

ConsumedRecord OwnedRecord::view() const {
  ConsumedRecord view = record_;
  view.source = &source_;
  view.key = key_;
  view.value = value_;
  view.header_bytes = as_bytes(headers_);
  return view;
}

Result<std::vector<OwnedRecord>> read_last(Home& home, const ConsumerOptions& options, int64_t count) {
  ConsumerOptions tail = options;
  tail.from = {Place::Kind::before_end, count};
  tail.to.reset();
  tail.follow = false;
  PG_ASSIGN(const auto consumer, Consumer::open(home, tail));
  std::map<TopicPartition, std::vector<OwnedRecord>> by_partition;
  for (;;) {
    PG_ASSIGN(const auto record, consumer->next_record());
    if (!record) break;
    by_partition[*record->source].emplace_back(*record);
  }
  // From the newest back: each time the partition whose last remaining record is the latest gives one.
  std::vector<OwnedRecord> newest;
  while (std::cmp_less(newest.size(), count)) {
    std::vector<OwnedRecord>* latest = nullptr;
    for (auto& [partition, records] : by_partition) {
      if (records.empty()) continue;
      if (latest == nullptr || records.back().timestamp_ms() >= latest->back().timestamp_ms()) latest = &records;
    }
    if (latest == nullptr) break;
    newest.push_back(std::move(latest->back()));
    latest->pop_back();
  }
  std::reverse(newest.begin(), newest.end());
  return newest;
}

}  // namespace pg
