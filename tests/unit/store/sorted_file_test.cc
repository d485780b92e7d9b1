#include "core/store/sorted_file.h"

#include <map>

#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

using Rows = std::map<std::string, std::string>;

void write(TestEnv& env, const std::string& path, const Rows& rows) {
  const auto writer = must(SortedFileWriter::create(env.files, path, "note"));
  for (const auto& [key, value] : rows) must(writer->add(key, value));
  must(writer->finish());
}

Rows from(const SortedFile& file, std::string_view key) {
  auto cursor = must(file.seek(key));
  Rows rows;
  SortedFile::Row row;
  while (must(cursor.next(row))) rows.emplace(row.key, row.value);
  return rows;
}

Rows many() {
  Rows rows;
  for (int i = 0; i < 500; ++i)
    rows[std::to_string(i * 7) + std::string(1, '\0')] = std::string(static_cast<size_t>(i), 'v');
  rows[""] = "empty key";
  rows["z"] = std::string(2 << 20, 'l');
  return rows;
}

}  // namespace

TEST_CASE("sorted_file: rows from any key on, as they were added") {
  TestEnv env;
  const std::string path = env.root() + "/f";
  for (const Rows& rows : {Rows(), Rows{{"a", ""}}, many()}) {
    write(env, path, rows);
    const auto file = must(SortedFile::open(env.files, path));
    CHECK(file->note() == "note");
    CHECK(file->rows() == rows.size());
    for (const char* key : {"", "0", "1", "35", "a", "z", "zz"})
      CHECK(from(*file, key) == Rows(rows.lower_bound(key), rows.end()));
  }
}

TEST_CASE("sorted_file: a byte that changed, or is missing, is found before a wrong row is shown") {
  TestEnv env;
  const std::string path = env.root() + "/f", spoilt = env.root() + "/spoilt";
  const Rows rows = {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}};
  write(env, path, rows);
  const std::string whole = must(env.files.read_all(path));
  const auto look = [&](const std::string& content) -> Result<Rows> {
    overwrite(env.files, spoilt, content);
    PG_ASSIGN(const auto file, SortedFile::open(env.files, spoilt));
    Rows found;
    for (const char* key : {"a", "b", "c", "d", "e"}) {
      PG_ASSIGN(auto cursor, file->seek(key));
      SortedFile::Row row;
      PG_ASSIGN(const bool more, cursor.next(row));
      if (more) found.emplace(row.key, row.value);
    }
    return found;
  };
  must(env.files.open(spoilt, OpenMode::create));
  for (size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string content = whole;
    content[at] = static_cast<char>(content[at] ^ 1);
    const auto found = look(content);
    if (found) CHECK(*found == rows);
    if (at < 12 || (at >= 20 && at < 48)) CHECK_FALSE(found);
    CHECK_FALSE(look(whole.substr(0, at)));
  }
  CHECK(must(look(whole)) == rows);
  CHECK(code_of(SortedFile::open(env.files, env.root() + "/none")) == Errc::not_found);
}
