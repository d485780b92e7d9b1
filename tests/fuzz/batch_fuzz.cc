// Any bytes as a log: the scanner finds intact batches or says `corrupt`, and never reads a record outside of its
// batch. With a first byte that is odd, the rest is one batch whose length, magic and CRC are made right, so that the
// fuzzer gets past them to the records; what can be read of it is written again and read back.
#include <cstring>
#include <vector>

#include "core/base/crc32c.h"
#include "core/format/control_record.h"
#include "core/log/batch_scanner.h"
#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

// A file that is these bytes.
class BytesFile final : public File {
 public:
  explicit BytesFile(std::string_view content) : File("bytes"), content_(content) {}
  Result<size_t> read_at(uint64_t position, MutableBytes into) const override {
    const auto piece = content_.substr(std::min<uint64_t>(position, content_.size()), into.size());
    if (!piece.empty()) std::memcpy(into.data(), piece.data(), piece.size());
    return piece.size();
  }
  Result<> write_at(uint64_t, ByteView) override { return refuse(); }
  Result<> truncate(uint64_t) override { return refuse(); }
  Result<> sync() override { return refuse(); }
  Result<FileInfo> info() const override { return FileInfo{.size_bytes = content_.size()}; }
  Result<std::unique_ptr<Mapping>> map(size_t, Access) const override { return refuse(); }

 private:
  static tl::unexpected<Error> refuse() { return fail(Errc::io, "not in this test"); }
  std::string_view content_;
};

struct Copy {
  int64_t timestamp_ms;
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  bool operator==(const Copy&) const = default;
};

std::optional<std::string> copy(std::optional<std::string_view> bytes) {
  return bytes ? std::optional<std::string>(*bytes) : std::nullopt;
}

// The records of a batch; empty if it is not wholly readable.
std::optional<std::vector<Copy>> read_records(ByteView bytes, const BatchHeader& header) {
  static Decompressor decompressor;
  auto cursor = RecordCursor::begin(bytes, header, decompressor);
  if (!cursor) return {};
  std::vector<Copy> records;
  RecordView record;
  Offset next = header.base_offset;
  for (;;) {
    const auto more = cursor->next(record);
    if (!more) {
      PG_ASSERT(more.error().code == Errc::corrupt && !more.error().what.empty());
      return {};
    }
    if (!*more) break;
    PG_ASSERT(record.offset >= next && record.offset <= header.last_offset());
    next = record.offset + 1;
    Copy read{record.timestamp_ms, copy(record.key), copy(record.value), {}};
    for (const auto& each : record.headers()) read.headers.emplace_back(each.name, copy(each.value));
    records.push_back(std::move(read));
  }
  PG_ASSERT(std::cmp_equal(records.size(), header.record_count));
  return records;
}

void write_again(const std::vector<Copy>& records) {
  BatchBuilder builder;
  for (const auto& copied : records) {
    Record record{copied.key, copied.value, {}, {}};
    for (const auto& [name, value] : copied.headers) record.headers.push_back({name, value});
    PG_ASSERT(builder.add(record, copied.timestamp_ms, 1 << 30));
  }
  if (builder.empty()) return;
  const auto bytes = builder.finish();
  const BatchHeader header = read_batch_header(bytes);
  PG_ASSERT(batch_header_fault(header) == nullptr && header.size_bytes() == bytes.size() && batch_crc_matches(bytes));
  const auto again = read_records(bytes, header);
  PG_ASSERT(again && *again == records);
}

void make_plausible(std::string& batch) {
  batch.resize(std::max(batch.size(), kBatchHeaderBytes));
  auto* bytes = reinterpret_cast<std::byte*>(batch.data());
  store_big_endian(bytes + 8, static_cast<int32_t>(batch.size() - kBatchPrefixBytes));
  bytes[16] = static_cast<std::byte>(kBatchMagic);
  store_big_endian(bytes + 17, crc32c(as_bytes(batch).subspan(kBatchCrcStart)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const bool plausible = input.byte() % 2 == 1;
  std::string content(input.rest());
  if (plausible) make_plausible(content);
  const BytesFile file(content);
  BatchScanner scanner(file);
  std::optional<uint64_t> first;
  for (;;) {
    const uint64_t position = scanner.position();
    const auto found = scanner.next(content.size());
    if (found && !*found) break;
    if (!found) {
      PG_ASSERT(found.error().code == Errc::corrupt && found.error().position == static_cast<int64_t>(position));
      PG_ASSERT(scanner.position() == position);
      break;
    }
    if (!first) first = position;
    const ScannedBatch& batch = **found;
    PG_ASSERT(batch.position == position && scanner.position() == position + batch.header.size_bytes());
    PG_ASSERT(as_text(batch.bytes) == std::string_view(content).substr(position, batch.bytes.size()));
    PG_ASSERT(batch_header_fault(batch.header) == nullptr && batch_crc_matches(batch.bytes));
    if (const auto records = read_records(batch.bytes, batch.header)) write_again(*records);
    if (const auto control = read_control_batch(batch.bytes, batch.header); !control)
      PG_ASSERT(!control.error().what.empty());
  }
  if (content.size() > 4096) return 0;  // a search looks at every byte
  const auto found = find_intact_batch(file, 0, content.size(), Offset(0), Offset(INT64_MAX));
  PG_ASSERT(found.has_value());
  if (first) PG_ASSERT(*found == first);
  if (*found) {
    scanner.seek(**found);
    const auto batch = scanner.next(content.size());
    PG_ASSERT(batch && *batch);
  }
  return 0;
}
