#include "core/format/producer_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/field_writer.h"

namespace pg {
namespace {

constexpr int16_t kVersion = 0;
constexpr size_t kPartitionBytes = 16;

Result<> check_version(FieldReader& in, const char* what) {
  const auto version = in.get<int16_t>();
  if (in.failed() || version < 0) return fail(Errc::corrupt, fmt::format("malformed {} in __producer_ids", what));
  if (version == kVersion) return {};
  return fail(Errc::unsupported_version, fmt::format("a {} in __producer_ids was written by a newer version", what));
}

}  // namespace

std::string write_producer_name_key(const ProducerNameKey& key) {
  return FieldWriter().add(kVersion).add_string(key.name).add_string(key.topic).take();
}

std::string write_producer_name_row(const ProducerNameRow& row) {
  FieldWriter out;
  out.add(kVersion)
      .add(row.producer_id)
      .add_bytes({reinterpret_cast<const char*>(row.topic_id.data()), row.topic_id.size()});
  out.add(static_cast<int32_t>(row.partitions.size()));
  for (const auto& partition : row.partitions) out.add(partition.count).add(partition.start.value);
  return out.take();
}

Result<ProducerNameKey> parse_producer_name_key(std::string_view bytes) {
  FieldReader in(bytes);
  PG_CHECK(check_version(in, "key"));
  ProducerNameKey key;
  key.name = in.get_string();
  key.topic = in.get_string();
  if (in.failed() || !in.at_end()) return fail(Errc::corrupt, "malformed key in __producer_ids");
  return key;
}

Result<ProducerNameRow> parse_producer_name_row(std::string_view bytes) {
  FieldReader in(bytes);
  PG_CHECK(check_version(in, "value"));
  ProducerNameRow row;
  row.producer_id = in.get<int64_t>();
  const std::string_view topic_id = in.get_bytes(row.topic_id.size());
  std::copy(topic_id.begin(), topic_id.end(), row.topic_id.begin());
  const auto count = in.get<int32_t>();
  bool sound =
      !in.failed() && row.producer_id >= 0 && count >= 0 && in.left() == static_cast<size_t>(count) * kPartitionBytes;
  for (int32_t p = 0; sound && p < count; ++p) {
    const auto written = in.get<int64_t>();
    row.partitions.push_back({written, Offset(in.get<int64_t>())});
    sound = written >= 0 && row.partitions.back().start.value >= 0;
  }
  if (!sound) return fail(Errc::corrupt, "malformed value in __producer_ids");
  return row;
}

}  // namespace pg
