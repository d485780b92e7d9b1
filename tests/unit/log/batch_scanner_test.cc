#include "core/log/batch_scanner.h"

#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

// A file of batches with one record each, and where they begin.
struct BatchFile {
  explicit BatchFile(const std::vector<size_t>& value_sizes) {
    std::string content;
    int64_t offset = 0;
    for (const size_t size : value_sizes) {
      TestBatch batch({std::string(size, 'v')});
      const auto bytes = batch.bytes();
      stamp_batch(bytes, Offset(offset++), LeaderEpoch(0));
      starts.push_back(content.size());
      content += as_text(bytes);
    }
    end = content.size();
    overwrite(env.files, path(), content);
    file = must(env.files.open(path(), OpenMode::write));
  }
  std::string path() const { return env.root() + "/f"; }

  // Positions of the batches that a scanner finds: "0 70 !corrupt@140".
  std::string scan(uint64_t limit, uint64_t from = 0) {
    BatchScanner scanner(*file, from);
    std::string text;
    for (;;) {
      const auto batch = scanner.next(limit);
      if (!batch) return text + "!" + batch.error().what + "@" + std::to_string(batch.error().position.value());
      if (!*batch) return text;
      text += std::to_string((*batch)->position) + " ";
      CHECK(batch_crc_matches((*batch)->bytes));
    }
  }

  TestEnv env;
  std::vector<uint64_t> starts;
  uint64_t end = 0;
  std::unique_ptr<File> file;
};

std::string positions(const std::vector<uint64_t>& starts) {
  std::string text;
  for (const uint64_t start : starts) text += std::to_string(start) + " ";
  return text;
}

}  // namespace

TEST_CASE("batch_scanner: reads batch after batch up to the limit, small ones and larger than its buffer") {
  BatchFile f({10, 300'000, 0, 131'000, 5, 131'072, 1'000'000, 1});
  CHECK(f.scan(f.end) == positions(f.starts));
  CHECK(f.scan(0) == "");
  CHECK(f.scan(f.starts[3]) == positions({f.starts[0], f.starts[1], f.starts[2]}));
  CHECK(f.scan(f.end, f.starts[4]) == positions({f.starts.begin() + 4, f.starts.end()}));
  CHECK(f.scan(f.end, f.end) == "");
  CHECK(f.scan(f.end, f.end + 5) == "");
}

TEST_CASE("batch_scanner: a batch that crosses the limit is damage") {
  BatchFile f({10, 10});
  for (uint64_t limit = f.starts[1] + 1; limit < f.end; ++limit) {
    REQUIRE(f.scan(limit) == "0 !damaged batch: batch is cut short@" + std::to_string(f.starts[1]));
  }
}

TEST_CASE("batch_scanner: damage names its place, and the scanner stays there") {
  BatchFile f({10, 10, 10});
  flip_bits(f.env.files, f.path(), f.starts[1] + 70);
  BatchScanner scanner(*f.file);
  CHECK(must(scanner.next(f.end))->position == 0);
  for (int i = 0; i < 3; ++i) {
    const Error error = error_of(scanner.next(f.end));
    CHECK(error.code == Errc::corrupt);
    CHECK(error.what == "damaged batch: CRC does not match");
    CHECK(error.path == f.path());
    CHECK(error.position == f.starts[1]);
    CHECK(scanner.position() == f.starts[1]);
  }
  scanner.seek(f.starts[2]);
  CHECK(must(scanner.next(f.end))->position == f.starts[2]);
  scanner.seek(0);
  CHECK(must(scanner.next(f.end))->position == 0);
}

TEST_CASE("batch_scanner: a file that is shorter than was said is damage, not an endless loop") {
  BatchFile f({10, 10});
  CHECK(f.scan(f.end + 1000) ==
        positions(f.starts) + "!damaged batch: the file is shorter than its log@" + std::to_string(f.end));
  must(f.file->truncate(f.end - 1));
  CHECK(f.scan(f.end) == "0 !damaged batch: the file is shorter than its log@" + std::to_string(f.starts[1]));
}

TEST_CASE("batch_scanner: a length field gone wild is refused before anything so large is read") {
  BatchFile f({10, 10});
  flip_bits(f.env.files, f.path(), 8, 0x7f);
  CHECK(f.scan(f.end) == "!damaged batch: batch length too large@0");
  flip_bits(f.env.files, f.path(), 8, 0x7f);
  flip_bits(f.env.files, f.path(), 8, 0x10);
  CHECK(f.scan(f.end) == "!damaged batch: batch is cut short@0");
}

TEST_CASE("batch_scanner: an I/O error is passed on as such, and the scan can go on after it") {
  BatchFile f({10, 10});
  BatchScanner scanner(*f.file);
  f.env.files.arm({.kind = Call::read});
  CHECK(code_of(scanner.next(f.end)) == Errc::io);
  CHECK(must(scanner.next(f.end))->position == 0);
  CHECK(must(scanner.next(f.end))->position == f.starts[1]);
}

TEST_CASE("batch_scanner: sees what was appended since") {
  BatchFile f({10, 10, 10});
  const uint64_t all = f.end;
  BatchScanner scanner(*f.file);
  CHECK(must(scanner.next(f.starts[1]))->position == 0);
  CHECK_FALSE(must(scanner.next(f.starts[1])).has_value());
  CHECK(must(scanner.next(f.starts[2]))->position == f.starts[1]);
  CHECK(must(scanner.next(all))->position == f.starts[2]);
}

TEST_CASE("batch_scanner: headers can be read over damaged records") {
  BatchFile f({10, 200'000, 10});
  flip_bits(f.env.files, f.path(), f.starts[1] + 100'000);
  BatchScanner scanner(*f.file);
  std::string text;
  while (const auto batch = must(scanner.next_header(f.end))) {
    text += std::to_string(batch->position) + " ";
    CHECK(batch->bytes.size() == kBatchHeaderBytes);
    scanner.skip(*batch);
  }
  CHECK(text == positions(f.starts));
}

TEST_CASE("batch_scanner: the next intact batch is found behind any damage") {
  BatchFile f({10, 10, 10, 140'000, 10});
  const auto find = [&](uint64_t from, int64_t offset_min = 0, int64_t offset_max = 1 << 20) {
    return must(find_intact_batch(*f.file, from, f.end, Offset(offset_min), Offset(offset_max)));
  };
  CHECK(find(0) == 0);
  CHECK(find(1) == f.starts[1]);
  CHECK(find(1, 2) == f.starts[2]);
  CHECK(find(1, 5) == std::nullopt);
  CHECK(find(1, 2, 2) == f.starts[2]);
  CHECK(find(f.starts[2] + 1, 0, 2) == std::nullopt);  // a base offset is outside the CRC: believed only within bounds
  CHECK(find(f.starts[3]) == f.starts[3]);
  CHECK(find(f.starts[3] + 1) == f.starts[4]);  // farther away than one window
  CHECK(find(f.starts[4] + 1) == std::nullopt);
  flip_bits(f.env.files, f.path(), f.starts[1] + 65);
  CHECK(find(1) == f.starts[2]);
  CHECK(must(find_intact_batch(*f.file, f.starts[4], f.end - 1, Offset(0), Offset(1 << 20))) == std::nullopt);
  CHECK(must(find_intact_batch(*f.file, f.end + 10, f.end, Offset(0), Offset(1 << 20))) == std::nullopt);
}

TEST_CASE("batch_scanner: a batch inside a record's value is not taken for a later one, if its offsets say so") {
  // Somebody stores a Kafka segment as a record: inside damage it looks like ours.
  BatchFile inner({10});
  const std::string segment = must(inner.env.files.read_all(inner.path()));
  TestEnv env;
  TestBatch outer({segment});
  const auto bytes = outer.bytes();
  stamp_batch(bytes, Offset(50), LeaderEpoch(0));
  overwrite(env.files, env.root() + "/f", as_text(bytes));
  const auto file = must(env.files.open(env.root() + "/f", OpenMode::read));
  CHECK(must(find_intact_batch(*file, 1, bytes.size(), Offset(50), Offset(1 << 20))) == std::nullopt);
}
