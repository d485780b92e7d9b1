#include "tests/memory_cluster/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "core/base/result.h"

namespace memory {

using namespace pilgrimage;

namespace {

constexpr int64_t kBatchRecords = 1000;

Offset end_of(const Topic& topic) { return Offset(static_cast<int64_t>(topic.records.size())); }

Offset offset_of(const Topic& topic, const Place& place) {
  const Offset end = end_of(topic);
  switch (place.kind) {
    case Place::Kind::start:
      return Offset(0);
    case Place::Kind::end:
      return end;
    case Place::Kind::offset:
      return Offset(place.value);
    case Place::Kind::after_start:
      return Offset(std::min(place.value, end.value));
    case Place::Kind::before_end:
      return Offset(std::max<int64_t>(0, end.value - place.value));
    case Place::Kind::timestamp:
      break;
  }
  const auto found = std::ranges::find_if(
      topic.records, [&](const OwnedRecord& record) { return record.timestamp_ms() >= place.value; });
  return found == topic.records.end() ? end : found->offset();
}

}  // namespace

Offset MemoryConsumer::Source::end() const { return std::min(end_of(*topic), to.value_or(end_of(*topic))); }

Result<bool> MemoryConsumer::Records::next(ConsumedRecord& record) {
  if (at >= end) return false;
  record = topic->records[static_cast<size_t>(at.value)].view();
  at = at + 1;
  return true;
}

Result<std::unique_ptr<MemoryConsumer>> MemoryConsumer::open(Store& store, ConsumerOptions options) {
  PG_CHECK(store.catch_up());
  std::unique_ptr<MemoryConsumer> consumer(new MemoryConsumer(store, std::move(options)));
  for (const auto& name : consumer->options_.topics) PG_CHECK(consumer->add(name));
  return consumer;
}

Result<> MemoryConsumer::add(const std::string& name) {
  auto topic = store_.find(name);
  if (!topic) return fail(Errc::not_found, fmt::format("no topic '{}'", name));
  for (const PartitionId partition : options_.partitions) {
    if (partition != PartitionId(0))
      return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", name, partition.value));
  }
  const Offset end = end_of(*topic), from = offset_of(*topic, options_.from);
  if (from > end) {
    return fail(Errc::out_of_range,
                fmt::format("'{}-0' has no offset {}: it holds 0 to {}", name, from.value, end.value));
  }
  std::optional<Offset> to;
  if (!options_.follow) to = end;
  if (options_.to) to = std::min(offset_of(*topic, *options_.to), to.value_or(Offset(INT64_MAX)));
  sources_.push_back({std::move(topic), from, to});
  return {};
}

ConsumedBatch MemoryConsumer::hand_out(Source& source) {
  const Offset from = source.next, end = std::min(source.end(), from + kBatchRecords);
  source.next = end;
  records_.topic = source.topic;
  records_.at = from;
  records_.end = end;
  return {.source = &source.topic->partition,
          .from = from,
          .end = end,
          .leader_epoch = LeaderEpoch(0),
          .records = &records_};
}

Result<std::optional<ConsumedBatch>> MemoryConsumer::poll(Deadline deadline) {
  for (;;) {
    for (Source& source : sources_) {
      if (source.next < source.end()) return hand_out(source);
    }
    if (at_end() || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    PG_CHECK(store_.catch_up());
  }
}

Result<std::optional<ConsumedRecord>> MemoryConsumer::next_record(Deadline deadline) {
  ConsumedRecord record;
  for (;;) {
    if (batch_) {
      PG_ASSIGN(const bool more, batch_->next(record));
      if (more) return record;
    }
    PG_ASSIGN(batch_, poll(deadline));
    if (!batch_) return std::nullopt;
  }
}

bool MemoryConsumer::at_end() const {
  return std::ranges::all_of(sources_, [](const Source& source) { return source.to && source.next >= *source.to; });
}

}  // namespace memory
