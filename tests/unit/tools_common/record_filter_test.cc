#include "tools/common/record_filter.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

RecordView with(std::optional<std::string_view> key, std::optional<std::string_view> value) {
  RecordView record;
  record.key = key;
  record.value = value;
  return record;
}

bool matches(std::string_view pattern, std::string_view value) {
  RecordFilter filter;
  must(filter.only_matching(pattern));
  return filter.keeps(with({}, value));
}

}  // namespace

TEST_CASE("record_filter: without a condition everything is kept") {
  const RecordFilter filter;
  CHECK(filter.keeps_all());
  CHECK(filter.keeps(with({}, {})));
}

TEST_CASE("record_filter: a key is compared whole, and an empty one is not none") {
  RecordFilter filter;
  filter.only_key("ann");
  CHECK_FALSE(filter.keeps_all());
  CHECK(filter.keeps(with("ann", {})));
  for (const auto& other : {"", "an", "anna", "Ann"}) CHECK_FALSE(filter.keeps(with(other, "ann")));
  CHECK_FALSE(filter.keeps(with({}, "ann")));
  RecordFilter empty;
  empty.only_key("");
  CHECK(empty.keeps(with("", {})));
  CHECK_FALSE(empty.keeps(with({}, {})));
}

TEST_CASE("record_filter: patterns") {
  CHECK(matches("b+", "abbc"));
  CHECK_FALSE(matches("^b", "abbc"));
  CHECK(matches("^a.*c$", "abbc"));
  CHECK(matches("", ""));
  CHECK(matches("tea|rice", "green tea"));
  CHECK(matches("(?i)TEA", "green tea"));
  CHECK(matches("[[:digit:]]{3}", "x123"));
  CHECK(matches("^.$", "\u00e4"));     // a character, not a byte
  CHECK_FALSE(matches("^b", "a\nb"));  // the start of the value, not of a line
  CHECK(matches("(?m)^b", "a\nb"));
}

TEST_CASE("record_filter: values are bytes, and so is a pattern that is no text") {
  const std::string_view binary("\xff\0needle\xfe", 9);
  CHECK(matches("needle", binary));
  CHECK(matches("\\x00needle", binary));
  CHECK(matches("\xff", binary));
  CHECK(matches(std::string_view("\xff\0n", 3), binary));
  CHECK_FALSE(matches("\xfd", binary));
}

TEST_CASE("record_filter: a null value never matches") {
  RecordFilter filter;
  must(filter.only_matching(""));
  CHECK_FALSE(filter.keeps(with("k", {})));
  CHECK(filter.keeps(with({}, "")));
}

TEST_CASE("record_filter: a pattern that is not understood says why") {
  RecordFilter filter;
  for (const auto& pattern : {"(", "a**", "[z-a]", "\\1", "(?=a)", "a{2000}"}) {
    CAPTURE(pattern);
    CHECK(code_of(filter.only_matching(pattern)) == Errc::invalid_argument);
  }
  CHECK(error_of(filter.only_matching("(")).what == "'(' is not a regular expression: missing ): (");
}

TEST_CASE("record_filter: patterns that defeat a backtracking matcher are harmless, and so are long values") {
  CHECK_FALSE(matches("^(a+)+$", std::string(2'000'000, 'a') + "b"));
  CHECK(matches("(a|aa)*$", std::string(2'000'000, 'a')));
}

TEST_CASE("record_filter: several keys, and several patterns: any of them; and both must hold") {
  RecordFilter filter;
  filter.only_key("a");
  filter.only_key("b");
  must(filter.only_matching("^x"));
  must(filter.only_matching("y$"));
  CHECK(filter.keeps(with("a", "x1")));
  CHECK(filter.keeps(with("b", "1y")));
  CHECK_FALSE(filter.keeps(with("c", "xy")));
  CHECK_FALSE(filter.keeps(with("a", "1")));
  CHECK_FALSE(filter.keeps(with("a", {})));
  CHECK_FALSE(filter.only_matching("("));
}
