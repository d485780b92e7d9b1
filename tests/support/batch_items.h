// Records that own their bytes, to and from whole batches.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/base/crc32c.h"
#include "core/base/limits.h"
#include "core/format/record_batch.h"
#include "tests/support/seeded_random.h"

namespace pg {

using Bytes = std::vector<std::byte>;
using OptionalText = std::optional<std::string>;

// A record that owns what Record and RecordView borrow.
struct Item {
  int64_t timestamp_ms = 0;
  OptionalText key, value;
  std::vector<std::pair<std::string, OptionalText>> headers;
  bool operator==(const Item&) const = default;
};

inline Record view_of(const Item& item) {
  Record record{.key = item.key, .value = item.value};
  for (const auto& [name, value] : item.headers) record.headers.push_back({name, value});
  return record;
}

inline Bytes encode(const std::vector<Item>& items, Compressor* compressor = nullptr) {
  BatchBuilder builder;
  for (const auto& item : items) PG_ASSERT(builder.add(view_of(item), item.timestamp_ms, kBatchBytesMax));
  const auto batch = builder.finish(compressor);
  PG_ASSERT(compressor ? batch.size() <= builder.size_bytes() : batch.size() == builder.size_bytes());
  return {batch.begin(), batch.end()};
}

inline OptionalText owned(std::optional<std::string_view> text) { return text ? OptionalText(*text) : std::nullopt; }

// All checks that a reader makes, and the records; corrupt at the first that fails.
inline Result<std::vector<Item>> decode(ByteView bytes) {
  if (bytes.size() < kBatchHeaderBytes) return fail(Errc::corrupt, "shorter than a header");
  const BatchHeader header = read_batch_header(bytes);
  if (const char* fault = batch_header_fault(header)) return fail(Errc::corrupt, fault);
  if (header.size_bytes() != bytes.size()) return fail(Errc::corrupt, "another length");
  if (!batch_crc_matches(bytes)) return fail(Errc::corrupt, "CRC");
  Decompressor decompressor;
  PG_ASSIGN(auto cursor, RecordCursor::begin(bytes, header, decompressor));
  std::vector<Item> items;
  for (RecordView record;;) {
    PG_ASSIGN(const bool more, cursor.next(record));
    if (!more) return items;
    Item item{record.timestamp_ms, owned(record.key), owned(record.value), {}};
    for (const auto& [name, value] : record.headers()) item.headers.emplace_back(std::string(name), owned(value));
    items.push_back(std::move(item));
    if (record.offset < header.base_offset || record.offset > header.last_offset()) throw std::logic_error("offset");
  }
}

// Makes the stored CRC fit again, so that what lies behind it is looked at.
inline void seal(Bytes& batch) { store_big_endian(batch.data() + 17, crc32c(ByteView(batch).subspan(kBatchCrcStart))); }

inline OptionalText random_text(SeededRandom& random, size_t most) {
  if (random.one_in(4)) return std::nullopt;
  return random.bytes(random.below(random.one_in(8) ? most * 20 + 1 : most + 1));
}

inline std::vector<Item> random_items(SeededRandom& random) {
  std::vector<Item> items(1 + random.below(40));
  for (auto& item : items) {
    item.timestamp_ms = random.one_in(10) ? static_cast<int64_t>(random.next() >> 1)
                                          : 1'700'000'000'000 + static_cast<int64_t>(random.below(100'000));
    item.key = random_text(random, 10);
    item.value = random_text(random, 200);
    for (auto n = random.below(4); n-- > 0;)
      item.headers.emplace_back(random.bytes(random.below(10)), random_text(random, 10));
  }
  return items;
}

// The batch of the golden file: everything that a record can have.
inline std::vector<Item> golden_items() {
  return {{1'700'000'000'000, "key", "value", {}},
          {1'700'000'000'005, std::nullopt, "no key", {{"h1", "v1"}, {"empty", ""}, {"null", {}}, {"h1", "again"}}},
          {1'699'999'999'990, "", "", {}},
          {1'700'000'100'000, "tombstone", std::nullopt, {}},
          {1'700'000'000'001, std::nullopt, std::nullopt, {{"", "nameless"}}},
          {1'700'000'000'002, std::string("\0\xff", 2), std::string(100, 'x'), {}}};
}

}  // namespace pg
