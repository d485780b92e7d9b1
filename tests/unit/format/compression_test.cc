#include "core/format/compression.h"

#include <string>
#include <vector>

#include "core/base/text.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

using Bytes = std::vector<std::byte>;

constexpr Codec kCodecs[] = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

// What a batch of that codec would hold; empty if it is not smaller.
std::optional<Bytes> compressed(Codec codec, std::string_view text) {
  Compressor compressor(codec);
  const auto bytes = compressor.compress(as_bytes(text), 0);
  return bytes ? std::optional(Bytes(bytes->begin(), bytes->end())) : std::nullopt;
}

Result<std::string> decompressed(Codec codec, ByteView bytes, size_t bytes_max = kDecompressedBytesMax) {
  Decompressor decompressor;
  PG_ASSIGN(const ByteView whole, decompressor.decompress(static_cast<int>(codec), bytes, bytes_max));
  return std::string(as_text(whole));
}

Bytes bytes_of(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

// Text that compresses about as well as a log file does.
std::string log_text(SeededRandom& random, size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    text += "2026-11-24T10:00:" + std::to_string(random.below(60)) + " INFO request served in ";
    text += std::to_string(random.below(100'000)) + " us\n";
  }
  text.resize(bytes);
  return text;
}

std::string hex_start(ByteView bytes, size_t count) { return hex(as_text(bytes.first(count))); }

}  // namespace

TEST_CASE("compression: names and numbers are Kafka's") {
  for (const char* name : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    CHECK(std::string(codec_name(static_cast<int>(parse_codec(name).value()))) == name);
  }
  CHECK(static_cast<int>(Codec::none) == 0);
  CHECK(static_cast<int>(Codec::gzip) == 1);
  CHECK(static_cast<int>(Codec::snappy) == 2);
  CHECK(static_cast<int>(Codec::lz4) == 3);
  CHECK(static_cast<int>(Codec::zstd) == 4);
  for (const char* name : {"", "uncompressed", "GZIP", "zst", "unknown"}) CHECK_FALSE(parse_codec(name));
  for (const int number : {-1, 5, 6, 7, 8}) CHECK(std::string(codec_name(number)) == "unknown");
}

TEST_CASE("compression: bytes come back, whatever their size, with one compressor and one decompressor for all") {
  SeededRandom random;
  for (const Codec codec : kCodecs) {
    CAPTURE(codec_name(static_cast<int>(codec)));
    Compressor compressor(codec);
    Decompressor decompressor;
    // Around the blocks of snappy and lz4, the decompressor's first room, and well above.
    for (const size_t size :
         {200u, 5000u, 32767u, 32768u, 32769u, 65535u, 65536u, 65537u, 131072u, 1u << 20, 3'500'000u, 700u}) {
      const std::string text = log_text(random, size);
      const auto bytes = compressor.compress(as_bytes(text), 61);
      REQUIRE(bytes);
      REQUIRE(bytes->size() < 61 + text.size());
      const ByteView whole = must(decompressor.decompress(static_cast<int>(codec), bytes->subspan(61)));
      REQUIRE(as_text(whole) == text);
    }
  }
}

TEST_CASE("compression: what does not get smaller is left alone") {
  SeededRandom random;
  for (const Codec codec : kCodecs) {
    for (const size_t size : {0u, 1u, 10u, 1000u, 40'000u, 1'000'000u})
      CHECK_FALSE(compressed(codec, random.bytes(size)));
  }
  CHECK_FALSE(compressed(Codec::none, std::string(1000, 'x')));
}

TEST_CASE("compression: the frames are those of Kafka's Java client") {
  const std::string text(100'000, 'x');
  CHECK(hex_start(*compressed(Codec::gzip, text), 4) == "1f8b0800");
  // Version 1, readable by version 1; the first block, of 32 KiB: its snappy begins with that size as a varint.
  const Bytes snappy = *compressed(Codec::snappy, text);
  CHECK(hex_start(snappy, 16) == "82534e41505059000000000100000001");
  CHECK(hex_start(ByteView(snappy).subspan(20), 3) == "808002");
  // Version 01, independent blocks, no checksums, no content size; blocks of 64 KiB; the header's checksum.
  CHECK(hex_start(*compressed(Codec::lz4, text), 7) == "04224d18604082");
  // A single segment with a content size of 4 bytes: 100,000.
  CHECK(hex_start(*compressed(Codec::zstd, text), 9) == "28b52ffda0a0860100");
}

TEST_CASE("compression: snappy without a frame, as librdkafka writes it") {
  // Length 11; a literal of 4 bytes; a copy of 7 bytes from 4 before.
  const Bytes raw =
      bytes_of(std::string("\x0b\x0c"
                           "ab\0\n"
                           "\x0d\x04",
                           8));
  CHECK(must(decompressed(Codec::snappy, raw)) == std::string("ab\0\nab\0\nab\0", 11));
  CHECK(must(decompressed(Codec::snappy, bytes_of(std::string(1, '\0')))).empty());
}

TEST_CASE("compression: several members or frames, one behind the other, are read as one") {
  for (const Codec codec : {Codec::gzip, Codec::lz4, Codec::zstd}) {
    Bytes both = *compressed(codec, std::string(100'000, 'a'));
    const Bytes second = *compressed(codec, std::string(70'000, 'b'));
    both.insert(both.end(), second.begin(), second.end());
    CHECK(must(decompressed(codec, both)) == std::string(100'000, 'a') + std::string(70'000, 'b'));
  }
}

TEST_CASE("compression: more than the limit is refused, what just fits is not") {
  const std::string text(1 << 20, 'x');
  for (const Codec codec : kCodecs) {
    CAPTURE(codec_name(static_cast<int>(codec)));
    const Bytes bytes = *compressed(codec, text);
    CHECK(must(decompressed(codec, bytes, text.size())) == text);
    for (const size_t limit : {text.size() - 1, size_t{100'000}, size_t{65'535}, size_t{1}, size_t{0}}) {
      CHECK(code_of(decompressed(codec, bytes, limit)) == Errc::limit);
    }
  }
}

TEST_CASE("compression: a bomb is refused at the limit, and what a reader would refuse is not made") {
  const std::string zeros(kDecompressedBytesMax / 2 + 1, '\0');
  Bytes bomb = *compressed(Codec::zstd, zeros);
  const Bytes half = bomb;
  bomb.insert(bomb.end(), half.begin(), half.end());
  const Error error = error_of(decompressed(Codec::zstd, bomb));
  CHECK(error.code == Errc::limit);
  CHECK(error.what == "zstd that cannot be decompressed: it holds more than 268435456 bytes, the most that is read");

  const std::unique_ptr<std::byte[]> larger(new std::byte[kDecompressedBytesMax + 1]);  // never touched
  CHECK_FALSE(Compressor(Codec::lz4).compress({larger.get(), kDecompressedBytesMax + 1}, 0));
}

TEST_CASE("compression: a few bytes that announce gigabytes are damage, and cost nothing") {
  // Raw snappy of 4 GiB less a byte, in a frame too; blocks that are longer than the rest, and of negative length.
  CHECK(code_of(decompressed(Codec::snappy, bytes_of("\xff\xff\xff\xff\x0f"))) == Errc::corrupt);
  const std::string frame("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
  CHECK(must(decompressed(Codec::snappy, bytes_of(frame))).empty());
  CHECK(code_of(decompressed(Codec::snappy, bytes_of(frame + std::string("\0\0\0\5\xff\xff\xff\xff\x0f", 9)))) ==
        Errc::corrupt);
  CHECK(code_of(decompressed(Codec::snappy, bytes_of(frame + std::string("\x7f\xff\xff\xff\1", 5)))) == Errc::corrupt);
  CHECK(code_of(decompressed(Codec::snappy, bytes_of(frame + std::string("\xff\xff\xff\xff\1", 5)))) == Errc::corrupt);
  CHECK(code_of(decompressed(Codec::snappy, bytes_of(std::string("\x82SNAPPY\0\0\0\0\2\0\0\0\2", 16)))) ==
        Errc::corrupt);
  // A zstd frame with a content size of 2^60, and nothing in it.
  CHECK(code_of(decompressed(Codec::zstd, bytes_of(std::string("\x28\xb5\x2f\xfd\xc0\x58\0\0\0\0\0\0\0\x10", 14)))) ==
        Errc::corrupt);
}

TEST_CASE("compression: every truncation is refused") {
  SeededRandom random;
  const std::string text = log_text(random, 3000);
  for (const Codec codec : kCodecs) {
    CAPTURE(codec_name(static_cast<int>(codec)));
    const Bytes bytes = *compressed(codec, text);
    for (size_t length = 0; length < bytes.size(); ++length) {
      const auto got = decompressed(codec, ByteView(bytes).first(length));
      // The frame of snappy does not say how many blocks there are: here there is one.
      if (codec == Codec::snappy && length == 16)
        REQUIRE(must(got).empty());
      else
        REQUIRE(code_of(got) == Errc::corrupt);
    }
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    CHECK(code_of(decompressed(codec, longer)) == Errc::corrupt);
  }
}

TEST_CASE("compression: damage is an error or other bytes, never a crash, and the decompressor goes on working") {
  SeededRandom random;
  for (const Codec codec : kCodecs) {
    CAPTURE(codec_name(static_cast<int>(codec)));
    Decompressor decompressor;
    const std::string text = log_text(random, 100'000);
    const Bytes bytes = *compressed(codec, text);
    int refused = 0;
    for (int i = 0; i < 1000; ++i) {
      Bytes damaged = bytes;
      const size_t within = random.one_in(2) ? damaged.size() : std::min<size_t>(damaged.size(), 40);
      for (auto n = 1 + random.below(4); n-- > 0;)
        damaged[random.below(within)] = static_cast<std::byte>(random.next());
      if (random.one_in(4)) damaged.resize(random.below(damaged.size()) + 1);
      const auto got = decompressor.decompress(static_cast<int>(codec), damaged, 1 << 20);
      if (!got) ++refused;
      if (got) REQUIRE(got->size() <= 1 << 20);
    }
    CHECK(refused > 300);
    CHECK(as_text(must(decompressor.decompress(static_cast<int>(codec), bytes))) == text);
  }
}

TEST_CASE("compression: an unknown codec is said, none is passed through") {
  Decompressor decompressor;
  for (const int codec : {5, 6, 7}) {
    const Error error = error_of(decompressor.decompress(codec, as_bytes("x")));
    CHECK(error.code == Errc::unsupported_version);
  }
  CHECK(as_text(must(decompressor.decompress(0, as_bytes("as it is")))) == "as it is");
}
