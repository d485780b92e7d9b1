// Batches whose records are compressed: what record_batch.h and compression.h do together.
#include <string>
#include <vector>

#include "core/format/record_batch.h"
#include "tests/support/batch_items.h"
#include "tests/support/golden.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

constexpr Codec kCodecs[] = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

Bytes encode(const std::vector<Item>& items, Codec codec) {
  Compressor compressor(codec);
  return pg::encode(items, &compressor);
}

int codec_of(const Bytes& batch) { return read_batch_header(batch).codec(); }

// Replaces what stands behind the header of `batch`, and makes length and CRC fit.
Bytes with_records(const Bytes& batch, ByteView records) {
  Bytes made(batch.begin(), batch.begin() + kBatchHeaderBytes);
  made.insert(made.end(), records.begin(), records.end());
  store_big_endian(made.data() + 8, static_cast<int32_t>(made.size() - kBatchPrefixBytes));
  seal(made);
  return made;
}

Bytes from_hex(const std::string& digits) {
  Bytes bytes;
  for (size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

}  // namespace

// Files that python3-kafka reads as these records. How a library compresses may change, how it decompresses may not.
TEST_CASE("compressed batch: the golden files hold the golden records") {
  for (const Codec codec : kCodecs) {
    Bytes batch = encode(golden_items(), codec);
    stamp_batch(batch, Offset(42), LeaderEpoch(7));
    const std::string name = std::string("batch_v2_") + codec_name(static_cast<int>(codec)) + ".hex";
    const Bytes golden = from_hex(golden_hex(name, as_text(batch)));
    CHECK(codec_of(golden) == static_cast<int>(codec));
    CHECK(must(decode(golden)) == golden_items());
    CHECK(must(decode(batch)) == golden_items());
  }
}

TEST_CASE("compressed batch: records come back as they were, nulls, headers and large ones included") {
  SeededRandom random;
  for (const Codec codec : kCodecs) {
    CAPTURE(codec_name(static_cast<int>(codec)));
    Compressor compressor(codec);
    for (int i = 0; i < 50; ++i) {
      auto items = random_items(random);
      items.push_back({1'700'000'000'000, "compresses well", std::string(random.below(100'000), 'x'), {}});
      if (i == 0) items.push_back({1'700'000'000'000, "large", random.bytes(1 << 20) + std::string(1 << 20, 'y'), {}});
      const Bytes batch = pg::encode(items, &compressor);
      REQUIRE(must(decode(batch)) == items);
    }
  }
}

TEST_CASE("compressed batch: the header says the codec, and all else as without") {
  const std::vector<Item> items(100, Item{1'700'000'000'000, "key", "value", {{"h", "v"}}});
  const Bytes plain = pg::encode(items);
  for (const Codec codec : kCodecs) {
    const Bytes batch = encode(items, codec);
    const BatchHeader header = read_batch_header(batch);
    CHECK(batch_header_fault(header) == nullptr);
    CHECK(header.attributes == static_cast<int>(codec));
    CHECK(header.size_bytes() == batch.size());
    CHECK(header.record_count == 100);
    CHECK(batch.size() < plain.size() / 2);
    // Between the codec's two bytes and the records the headers are the same.
    CHECK(std::equal(batch.begin() + 23, batch.begin() + kBatchHeaderBytes, plain.begin() + 23));
  }
}

TEST_CASE("compressed batch: one that would not get smaller is an ordinary batch, byte for byte") {
  SeededRandom random;
  for (const Codec codec : kCodecs) {
    const std::vector<Item> small{{1000, std::nullopt, "x", {}}},
        noise{{1000, std::nullopt, random.bytes(1 << 20), {}}};
    CHECK(encode(small, codec) == pg::encode(small));
    CHECK(encode(noise, codec) == pg::encode(noise));
  }
}

TEST_CASE("compressed batch: stamps of the log leave its CRC right") {
  for (const Codec codec : kCodecs) {
    Bytes batch = encode(golden_items(), codec);
    stamp_batch(batch, Offset(1000), LeaderEpoch(3));
    stamp_log_append_time(batch, 1'800'000'000'000);
    REQUIRE(batch_crc_matches(batch));
    CHECK(codec_of(batch) == static_cast<int>(codec));
    auto expected = golden_items();
    for (auto& item : expected) item.timestamp_ms = 1'800'000'000'000;
    CHECK(must(decode(batch)) == expected);
  }
}

TEST_CASE("compressed batch: damage below a good CRC is an error that names the batch, or other records") {
  SeededRandom random;
  for (const Codec codec : kCodecs) {
    CAPTURE(codec_name(static_cast<int>(codec)));
    Bytes batch = encode(golden_items(), codec);
    stamp_batch(batch, Offset(42), LeaderEpoch(0));
    const ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
    for (size_t length = 0; length < records.size(); ++length) {
      const auto decoded = decode(with_records(batch, records.first(length)));
      REQUIRE(code_of(decoded) == Errc::corrupt);
      REQUIRE(decoded.error().what.find("batch at offset 42") != std::string::npos);
    }
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
      Bytes damaged(records.begin(), records.end());
      for (auto n = 1 + random.below(3); n-- > 0;)
        damaged[random.below(damaged.size())] = static_cast<std::byte>(random.next());
      if (!decode(with_records(batch, damaged))) ++refused;
    }
    CHECK(refused > 300);
  }
}

TEST_CASE("compressed batch: one without records has nothing behind its header") {
  Bytes batch = encode(golden_items(), Codec::zstd);
  store_big_endian<int32_t>(batch.data() + 57, 0);
  CHECK(must(decode(with_records(batch, {}))).empty());
  // But what is there is looked at.
  CHECK(code_of(decode(with_records(batch, as_bytes("x")))) == Errc::corrupt);
}
