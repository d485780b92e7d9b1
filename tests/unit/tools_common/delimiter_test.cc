#include "tools/common/delimiter.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("delimiter: any string, with escapes for what a shell cannot pass") {
  const std::pair<const char*, std::string> rows[] = {{"\\n", "\n"},
                                                      {"\\0", std::string(1, '\0')},
                                                      {"\\t", "\t"},
                                                      {"\\\\", "\\"},
                                                      {"\\x41", "A"},
                                                      {"\\xfF", "\xff"},
                                                      {"none", ""},
                                                      {"nonesuch", "nonesuch"},
                                                      {",", ","},
                                                      {"<->", "<->"},
                                                      {"a\\nb", "a\nb"},
                                                      {"ü", "ü"},
                                                      {"\\x0a\\x00", std::string("\n\0", 2)}};
  for (const auto& [text, delimiter] : rows) {
    CAPTURE(text);
    CHECK(must(parse_delimiter(text)) == delimiter);
  }
}

TEST_CASE("delimiter: what is refused") {
  for (const char* text : {"", "\\", "a\\", "\\q", "\\x", "\\x4", "\\xg0", "\\r"}) {
    CAPTURE(text);
    CHECK(code_of(parse_delimiter(text)) == Errc::invalid_argument);
  }
}

TEST_CASE("delimiter: framings by name") {
  CHECK(must(parse_framing("lines")) == Framing::lines);
  CHECK(must(parse_framing("len32be")) == Framing::len32be);
  for (const auto& other : {"", "line", "len32", "LINES"})
    CHECK(code_of(parse_framing(other)) == Errc::invalid_argument);
}
