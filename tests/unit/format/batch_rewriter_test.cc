#include "core/format/batch_rewriter.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

std::vector<std::byte> make_batch(Codec codec, int records) {
  BatchBuilder builder;
  for (int i = 0; i < records; ++i) {
    const std::string key = "key" + std::to_string(i), value(100, static_cast<char>('a' + i));
    REQUIRE(builder.add({.key = key,
                         .value = i % 3 == 2 ? std::nullopt : std::optional<std::string_view>(value),
                         .headers = {{"name", "content"}}},
                        5000 - 10 * i, kBatchBytesMax));
  }
  Compressor compressor(codec);
  const auto batch = builder.finish(codec == Codec::none ? nullptr : &compressor);
  stamp_batch(batch, Offset(100), LeaderEpoch(3));
  return {batch.begin(), batch.end()};
}

std::string shown(ByteView batch) {
  const BatchHeader header = read_batch_header(batch);
  CHECK(batch_header_fault(header) == nullptr);
  CHECK(batch_crc_matches(batch));
  CHECK(header.size_bytes() == batch.size());
  Decompressor decompressor;
  auto records = must(RecordCursor::begin(batch, header, decompressor));
  std::string text;
  for (RecordView record; must(records.next(record));) {
    text += std::to_string(record.offset.value) + "@" + std::to_string(record.timestamp_ms) + ":" +
            std::string(record.key.value_or("null")) + "=" + std::string(record.value.value_or("null")).substr(0, 4) +
            "/" + std::to_string(record.headers().size()) + " ";
  }
  return text;
}

ByteView keep_every_second(BatchRewriter& rewriter, ByteView batch, std::optional<int64_t> horizon) {
  const BatchHeader header = read_batch_header(batch);
  rewriter.begin(header, horizon);
  Decompressor decompressor;
  auto records = must(RecordCursor::begin(batch, header, decompressor));
  for (RecordView record; must(records.next(record));) {
    if (record.offset.value % 2 == 1) rewriter.keep(record);
  }
  return rewriter.finish();
}

}  // namespace

TEST_CASE("batch_rewriter: kept records keep offset, time, key, value and headers, in every codec") {
  BatchRewriter rewriter;
  for (const auto codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    const auto before = make_batch(codec, 6);
    const auto after = keep_every_second(rewriter, before, {});
    CHECK(shown(after) == "101@4990:key1=bbbb/1 103@4970:key3=dddd/1 105@4950:key5=null/1 ");
    const BatchHeader was = read_batch_header(before), is = read_batch_header(after);
    CHECK(is.base_offset == was.base_offset);
    CHECK(is.last_offset_delta == was.last_offset_delta);
    CHECK(is.leader_epoch == was.leader_epoch);
    CHECK(is.base_timestamp_ms == was.base_timestamp_ms);
    CHECK(is.max_timestamp_ms == 4990);
    CHECK(is.record_count == 3);
    CHECK(is.codec() == static_cast<int>(codec));
    CHECK(!is.has_delete_horizon());
  }
}

TEST_CASE("batch_rewriter: a delete horizon takes the place of the base timestamp and changes no record's time") {
  BatchRewriter rewriter;
  const auto batch = keep_every_second(rewriter, make_batch(Codec::none, 6), 1'800'000'000'000);
  CHECK(shown(batch) == "101@4990:key1=bbbb/1 103@4970:key3=dddd/1 105@4950:key5=null/1 ");
  CHECK(read_batch_header(batch).has_delete_horizon());
  CHECK(read_batch_header(batch).base_timestamp_ms == 1'800'000'000'000);
  // And stays when the batch is written once more.
  BatchRewriter again;
  const std::vector<std::byte> copy(batch.begin(), batch.end());
  const auto twice = keep_every_second(again, copy, {});
  CHECK(read_batch_header(twice).has_delete_horizon());
  CHECK(read_batch_header(twice).base_timestamp_ms == 1'800'000'000'000);
}

TEST_CASE("batch_rewriter: a batch without records is a header, and keeps offsets and producer") {
  BatchRewriter rewriter;
  const auto before = make_batch(Codec::zstd, 6);
  BatchHeader header = read_batch_header(before);
  header.producer.id = 42;
  header.producer.epoch = 1;
  header.producer.sequence = 7;
  rewriter.begin(header);
  const auto empty = rewriter.finish();
  CHECK(empty.size() == kBatchHeaderBytes);
  CHECK(shown(empty).empty());
  CHECK(read_batch_header(empty).codec() == 0);
  CHECK(read_batch_header(empty).end_offset() == Offset(106));
  CHECK(read_batch_header(empty).producer.id == 42);
  CHECK(read_batch_header(empty).producer.sequence == 7);
}
