#include "core/format/producer_name.h"

#include "tests/support/golden.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

ProducerNameKey some_key() { return {std::string("nightly\0\n\xff/..", 13), "orders"}; }

ProducerNameRow some_row() {
  ProducerNameRow row;
  row.producer_id = (int64_t{1} << 62) - 1;
  for (size_t i = 0; i < row.topic_id.size(); ++i) row.topic_id[i] = static_cast<uint8_t>(i);
  row.partitions = {{0, Offset(7)}, {int64_t{1} << 40, Offset(0)}};
  return row;
}

}  // namespace

TEST_CASE("producer_name: key and value come back, and their bytes never change") {
  const std::string key = write_producer_name_key(some_key()), row = write_producer_name_row(some_row());
  CHECK(must(parse_producer_name_key(key)) == some_key());
  CHECK(must(parse_producer_name_row(row)) == some_row());
  CHECK(hex(key) == golden_hex("producer_name_key.hex", key));
  CHECK(hex(row) == golden_hex("producer_name_row.hex", row));
}

TEST_CASE("producer_name: what is cut or has more is malformed, and a newer version is not read") {
  const std::string key = write_producer_name_key(some_key()), row = write_producer_name_row(some_row());
  for (size_t size = 0; size < key.size(); ++size)
    CHECK(code_of(parse_producer_name_key(key.substr(0, size))) == Errc::corrupt);
  for (size_t size = 0; size < row.size(); ++size)
    CHECK(code_of(parse_producer_name_row(row.substr(0, size))) == Errc::corrupt);
  CHECK(code_of(parse_producer_name_key(key + "x")) == Errc::corrupt);
  CHECK(code_of(parse_producer_name_row(row + "x")) == Errc::corrupt);
  const std::string newer = std::string("\0\1", 2);
  CHECK(code_of(parse_producer_name_key(newer + key.substr(2))) == Errc::unsupported_version);
  CHECK(code_of(parse_producer_name_row(newer + row.substr(2))) == Errc::unsupported_version);
  std::string negative = row;
  negative[2] = '\xff';
  CHECK(code_of(parse_producer_name_row(negative)) == Errc::corrupt);
}
