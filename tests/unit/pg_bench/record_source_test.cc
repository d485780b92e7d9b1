#include "tools/pg-bench/record_source.h"

#include <fstream>
#include <set>

#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/temp_dir.h"

using namespace pg;

TEST_CASE("record source: made texts have the size, differ, and are the same in every run") {
  TextSource one = TextSource::made(20, 1000), other = TextSource::made(20, 1000);
  std::set<std::string_view> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string_view text = one.next();
    CHECK(text.size() == 20);
    CHECK(text == other.next());
    seen.insert(text);
  }
  CHECK(seen.size() == 1000);
  CHECK(seen.contains(one.next()));  // the first one again
}

TEST_CASE("record source: of any size") {
  CHECK(TextSource::made(0, 3).next().empty());
  CHECK(TextSource::made(3 << 20, 3).next().size() == 3 << 20);
}

TEST_CASE("record source: lines of a file, again and again, also where it has been moved") {
  const TempDir directory;
  const std::string path = directory.path() + "/values";
  std::ofstream(path) << "a\n\nb";
  TextSource source = must(TextSource::of_file(path));
  TextSource moved = std::move(source);
  for (int round = 0; round < 2; ++round) {
    CHECK(moved.next() == "a");
    CHECK(moved.next() == "");
    CHECK(moved.next() == "b");
  }
}

TEST_CASE("record source: a file without a line is refused") {
  const TempDir directory;
  const std::string path = directory.path() + "/empty";
  std::ofstream(path).flush();
  const auto source = TextSource::of_file(path);
  REQUIRE(!source);
  CHECK(source.error().code == Errc::invalid_argument);
}
