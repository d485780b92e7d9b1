#include "tests/memory_cluster/producer.h"

#include <fmt/format.h>

#include "core/base/result.h"

namespace memory {

using namespace pilgrimage;

namespace {

constexpr int32_t kRecordBytesMax = 1048588;

int64_t now_ms() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

// A length before bytes, as records of Kafka have it.
void append_bytes(std::string& out, std::optional<std::string_view> bytes) {
  std::byte length[pg::kVarintBytesMax];
  const std::byte* end = pg::write_varint(length, bytes ? static_cast<int64_t>(bytes->size()) : -1);
  out.append(reinterpret_cast<const char*>(length), static_cast<size_t>(end - length));
  out += bytes.value_or("");
}

}  // namespace

Result<> MemoryProducer::send(const Record& record, std::optional<PartitionId> partition) {
  if (partition.value_or(PartitionId(0)) != PartitionId(0))
    return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", topic_.topic, partition->value));
  std::string headers;
  for (const Header& header : record.headers) {
    append_bytes(headers, header.name);
    append_bytes(headers, header.value);
  }
  const size_t bytes = record.key.value_or("").size() + record.value.value_or("").size() + headers.size();
  if (std::cmp_greater(bytes, kRecordBytesMax))
    return fail(Errc::limit, fmt::format("the record is larger than max.message.bytes={} of topic '{}' allows",
                                         kRecordBytesMax, topic_.topic));
  if (gathered_bytes_ + bytes > options_.batch_bytes) PG_CHECK(send_batches());
  if (gathered_.empty()) first_added_ = std::chrono::steady_clock::now();
  ConsumedRecord whole;
  whole.source = &topic_;
  whole.key = record.key;
  whole.value = record.value;
  whole.timestamp_ms = record.timestamp_ms.value_or(now_ms());
  whole.header_count = static_cast<int32_t>(record.headers.size());
  whole.header_bytes = pg::as_bytes(headers);
  gathered_.emplace_back(whole);
  gathered_bytes_ += bytes;
  return {};
}

Result<> MemoryProducer::send_batches() {
  if (gathered_.empty()) return {};
  PG_CHECK(make_topic());
  PG_ASSIGN(const Offset first, store_.append(topic_.topic, gathered_));
  const auto count = static_cast<int32_t>(gathered_.size());
  gathered_.clear();
  gathered_bytes_ = 0;
  written_ += count;
  const char* state = options_.flush != FlushMode::never ? "flushed"
                      : options_.acks == Acks::all       ? "committed"
                                                         : "written";
  return options_.report ? options_.report({topic_, first, count, state}) : Result<>();
}

std::optional<Deadline> MemoryProducer::linger_deadline() const {
  if (gathered_.empty()) return std::nullopt;
  return first_added_ + options_.linger;
}

Result<> MemoryProducer::close(bool whole_input) {
  if (whole_input) PG_CHECK(make_topic());
  return send_batches();
}

Result<> MemoryProducer::make_topic() {
  if (store_.find(topic_.topic)) return {};
  PG_CHECK(store_.create(topic_.topic));
  if (options_.topic_made) options_.topic_made(topic_.topic);
  return {};
}

int32_t MemoryProducer::max_record_bytes() const { return kRecordBytesMax; }

}  // namespace memory
