#include "tools/common/record_reader.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

using Records = std::vector<std::string>;

std::string frame(std::string_view record) {
  std::string bytes(kFrameLengthBytes, '\0');
  store_big_endian(reinterpret_cast<std::byte*>(bytes.data()), static_cast<uint32_t>(record.size()));
  return bytes.append(record);
}

// Feeds `input` in pieces of the given sizes (the last size again and again), and gathers the records.
Result<Records> cut(std::string_view input, const std::string& delimiter, const std::vector<size_t>& pieces,
                    size_t most = 1 << 20, Framing framing = Framing::lines) {
  RecordReader reader(delimiter, most, framing);
  Records records;
  const auto take = [&]() -> Result<> {
    for (;;) {
      PG_ASSIGN(const auto record, reader.next());
      if (!record) return {};
      records.emplace_back(*record);
      CHECK(reader.number() == static_cast<int64_t>(records.size()));
    }
  };
  size_t n = 0;
  while (!input.empty()) {
    const MutableBytes space = reader.space();
    const size_t piece = std::min({input.size(), space.size(), pieces[std::min(n++, pieces.size() - 1)]});
    std::memcpy(space.data(), input.data(), piece);
    reader.filled(piece);
    input.remove_prefix(piece);
    PG_CHECK(take());
  }
  reader.finish();
  PG_CHECK(take());
  return records;
}

}  // namespace

TEST_CASE("record_reader: lines") {
  const std::pair<std::string, Records> rows[] = {{"", {}},
                                                  {"\n", {""}},
                                                  {"a", {"a"}},
                                                  {"a\n", {"a"}},
                                                  {"a\nb", {"a", "b"}},
                                                  {"a\n\nb\n", {"a", "", "b"}},
                                                  {"\n\n", {"", ""}},
                                                  {std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
                                                  {"a\r\n", {"a\r"}}};
  for (const auto& [input, expected] : rows) {
    CAPTURE(input);
    for (size_t piece = 1; piece < 5; ++piece) CHECK(must(cut(input, "\n", {piece})) == expected);
  }
}

TEST_CASE("record_reader: a delimiter that is split across reads is found, wherever it is split") {
  const std::string input = "one<->two<-><-three<->->four";
  const Records expected = {"one", "two", "<-three", "->four"};
  for (size_t first = 1; first < input.size(); ++first) {
    for (size_t second = 1; second < 6; ++second) CHECK(must(cut(input, "<->", {first, second})) == expected);
  }
}

TEST_CASE("record_reader: the first delimiter counts, also where delimiters overlap") {
  for (size_t piece = 1; piece < 8; ++piece) {
    CHECK(must(cut("aaab", "aa", {piece})) == Records{"", "ab"});
    CHECK(must(cut("xababay", "aba", {piece})) == Records{"x", "bay"});
  }
}

TEST_CASE("record_reader: without a delimiter the whole stream is one record") {
  CHECK(must(cut("a\nb\n", "", {1})) == Records{"a\nb\n"});
  CHECK(must(cut("", "", {1})).empty());
  const std::string large(1'000'000, 'x');
  CHECK(must(cut(large, "", {100'000})) == Records{large});
}

TEST_CASE("record_reader: a record that is too long is refused before it is read whole, and numbered") {
  RecordReader reader("\n", 1000);
  size_t fed = 0;
  std::memcpy(reader.space().data(), "ok\n", 3);
  reader.filled(3);
  CHECK(must(reader.next()) == "ok");
  for (;;) {
    const MutableBytes space = reader.space();
    std::memset(space.data(), 'x', 100);
    reader.filled(100);
    fed += 100;
    REQUIRE(fed < 2000);
    const auto record = reader.next();
    if (record) continue;
    CHECK(record.error().code == Errc::limit);
    CHECK(reader.number() == 2);
    break;
  }
}

TEST_CASE("record_reader: records larger than its buffer, and many small ones in one read") {
  const std::string large(700'000, 'L');
  CHECK(must(cut(large + "\nx\n" + large, "\n", {65'536})) == Records{large, "x", large});
  std::string many;
  Records expected;
  for (int i = 0; i < 50'000; ++i) {
    expected.push_back(std::to_string(i));
    many += expected.back() + "\n";
  }
  CHECK(must(cut(many, "\n", {100'000})) == expected);
}

TEST_CASE("record_reader: random streams in random pieces") {
  SeededRandom random;
  for (int round = 0; round < 300; ++round) {
    const std::string delimiter = round % 3 == 0 ? "\n" : round % 3 == 1 ? "ab" : "aab";
    std::string input;
    for (auto n = random.below(60); n-- > 0;) input += static_cast<char>('a' + random.below(3));
    if (delimiter == "\n") std::replace(input.begin(), input.end(), 'c', '\n');
    Records expected;
    for (size_t at = 0; at < input.size();) {
      const size_t next = input.find(delimiter, at);
      expected.push_back(input.substr(at, next == std::string::npos ? next : next - at));
      at = next == std::string::npos ? input.size() : next + delimiter.size();
    }
    std::vector<size_t> pieces;
    for (int i = 0; i < 60; ++i) pieces.push_back(1 + random.below(7));
    REQUIRE(must(cut(input, delimiter, pieces)) == expected);
  }
}

TEST_CASE("record_reader: frames hold any bytes, also none, wherever reads divide them") {
  SeededRandom random;
  const Records expected = {"", "a\nb", std::string("\0\0\0\7", 4), "", random.bytes(300), std::string(200'000, 'x'),
                            ""};
  std::string input;
  for (const auto& record : expected) input += frame(record);
  for (const size_t piece : {1, 3, 4, 7, 70'000}) {
    CHECK(must(cut(input, "", {piece}, 1 << 20, Framing::len32be)) == expected);
  }
  CHECK(must(cut("", "", {1}, 10, Framing::len32be)).empty());
}

TEST_CASE("record_reader: a frame that the input ends in is an error, at every length") {
  const std::string input = frame("first") + frame("second");
  for (size_t size = 1; size < input.size(); ++size) {
    if (size == frame("first").size()) continue;
    CHECK(code_of(cut(input.substr(0, size), "", {5}, 100, Framing::len32be)) == Errc::invalid_argument);
  }
  RecordReader reader("", 100, Framing::len32be);
  std::memcpy(reader.space().data(), input.data(), 15);
  reader.filled(15);
  reader.finish();
  CHECK(must(reader.next()) == "first");
  CHECK(error_of(reader.next()).what == "the input ends after 6 of the record's 10 bytes, which begin with its length");
  CHECK(reader.number() == 2);
}

TEST_CASE("record_reader: a frame that is too long is refused when its length has been read") {
  CHECK(must(cut(frame("1234567890"), "", {99}, 10, Framing::len32be)) == Records{"1234567890"});
  CHECK(code_of(cut(frame("1234567890").substr(0, 4), "", {99}, 9, Framing::len32be)) == Errc::limit);
  CHECK(code_of(cut("\xff\xff\xff\xff", "", {1}, 1 << 30, Framing::len32be)) == Errc::limit);
}

TEST_CASE("record_reader: what was taken is the stream, byte for byte, without what was refused") {
  for (const Framing framing : {Framing::lines, Framing::len32be}) {
    const std::string first = framing == Framing::lines ? "one\ntwo\nthr" : frame("one") + frame("two") + "\0";
    RecordReader reader("\n", 100, framing);
    CHECK(reader.taken() == "");
    std::memcpy(reader.space().data(), first.data(), first.size());
    reader.filled(first.size());
    CHECK(must(reader.next()) == "one");
    const std::string one(reader.taken());
    CHECK(first.starts_with(one));
    CHECK(must(reader.next()) == "two");
    CHECK(reader.taken().size() == 2 * one.size());
    reader.refuse();
    CHECK(reader.taken() == one);
    CHECK(must(reader.next()) == "two");
    (void)reader.space();
    CHECK(reader.taken() == "");
  }
}
