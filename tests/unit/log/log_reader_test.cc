#include "core/log/log_reader.h"

#include <algorithm>

#include "core/format/index_entry.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

struct Spoiling {
  const char* name;
  void (*spoil)(TestEnv& env, const std::string& index);
};

// What may become of an index, which is only a hint.
const Spoiling kSpoilings[] = {
    {"untouched", [](TestEnv&, const std::string&) {}},
    {"missing", [](TestEnv& env, const std::string& index) { must(env.files.unlink(index)); }},
    {"empty", [](TestEnv& env, const std::string& index) { overwrite(env.files, index, ""); }},
    {"short",
     [](TestEnv& env, const std::string& index) {
       must(must(env.files.open(index, OpenMode::write))->truncate(size_of(env.files, index) / 2 + 1));
     }},
    {"random bytes",
     [](TestEnv& env, const std::string& index) {
       overwrite(env.files, index, env.random.bytes(size_of(env.files, index)));
     }},
    {"zeros",
     [](TestEnv& env, const std::string& index) {
       overwrite(env.files, index, std::string(size_of(env.files, index), '\0'));
     }},
    {"ones",
     [](TestEnv& env, const std::string& index) {
       overwrite(env.files, index, std::string(size_of(env.files, index), '\x7f'));
     }},
    {"entries after the real ones",
     [](TestEnv& env, const std::string& index) {
       overwrite(env.files, index, must(env.files.read_all(index)) + std::string(48, '\x01'));
     }},
    {"of another segment",
     [](TestEnv& env, const std::string& index) {
       std::string content = must(env.files.read_all(index));
       std::reverse(content.begin(), content.end());
       overwrite(env.files, index, content);
     }},
    {"a directory",
     [](TestEnv& env, const std::string& index) {
       must(env.files.unlink(index));
       must(env.files.make_directory(index));
     }},
};

constexpr uint8_t kMasks[] = {0x01, 0x80, 0xff};  // the bits that are flipped in a byte

// Forty numbered records in segments of about thirteen, one batch each, record n at 1000 + 10 n.
struct ReadLog {
  explicit ReadLog(LogConfig config = tiny_segments()) : partition(env, config), log(partition.open()) {
    append_numbers(*log, 0, 40);
    bases = must(list_segments(env.files, partition.directory()));
  }
  Offset at_time(int64_t ms, int64_t start = 0, int64_t end = 40) {
    return must(find_offset_by_time(*log, ms, Offset(start), Offset(end)));
  }
  TestEnv env;
  TestPartition partition;
  std::unique_ptr<PartitionLog> log;
  std::vector<Offset> bases;
};

std::string join(const std::string& left, const std::string& right) {
  return left.empty() || right.empty() ? left + right : left + " " + right;
}

// What a reader sees that goes on behind damage: "0:0 !1-2 3:3", where 1 and 2 could not be read.
std::string readable(PartitionLog& log, int64_t from = 0) {
  std::string seen;
  LogReader reader(log, Offset(from));
  Decompressor decompressor;
  for (;;) {
    const Offset end = log.current_state()->high_watermark();
    const int64_t at = reader.next_offset().value;
    const auto batch = reader.next(end);
    if (!batch) {
      if (batch.error().code != Errc::corrupt) return join(seen, "!" + batch.error().message());
      must(reader.skip_damage(end));
      const int64_t last = reader.next_offset().value - 1;
      seen = join(seen, "!" + std::to_string(at) + (last > at ? "-" + std::to_string(last) : ""));
      continue;
    }
    if (!*batch) return seen;
    auto records = must(RecordCursor::begin((*batch)->bytes, (*batch)->header, decompressor));
    RecordView record;
    while (must(records.next(record))) {
      if (record.offset.value >= from)
        seen = join(seen, std::to_string(record.offset.value) + ":" + std::string(record.value.value_or("null")));
    }
  }
}

// The number, in its segment, of the batch that byte `at` belongs to.
size_t batch_at(const ReadLog& l, const std::string& path, uint64_t at) {
  const Offset base =
      *std::find_if(l.bases.begin(), l.bases.end(), [&](Offset b) { return l.partition.log_file(b.value) == path; });
  uint64_t end = 0;
  for (size_t n = 0;; ++n) {
    end += TestBatch({std::to_string(base.value + static_cast<int64_t>(n))}).bytes().size();
    if (at < end) return n;
  }
}

}  // namespace

TEST_CASE("log_reader: from any offset to the end, across segments") {
  ReadLog l;
  REQUIRE(l.bases.size() == 3);
  for (int64_t from = 0; from < 40; ++from) CHECK(contents(*l.log, from) == numbers(from, 40));
  CHECK(contents(*l.log, 40) == "");
}

TEST_CASE("log_reader: an end is exclusive, and the reader goes on when it moves") {
  ReadLog l;
  LogReader reader(*l.log, Offset(5));
  CHECK_FALSE(must(reader.next(Offset(5))).has_value());
  CHECK_FALSE(must(reader.next(Offset(3))).has_value());
  CHECK(must(reader.next(Offset(6)))->header.base_offset == Offset(5));
  CHECK(reader.next_offset() == Offset(6));
  CHECK_FALSE(must(reader.next(Offset(6))).has_value());
  CHECK(must(reader.next(Offset(7)))->header.base_offset == Offset(6));
}

TEST_CASE("log_reader: the batch that holds an offset may begin before it") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append(*log, {"a", "b", "c"});
  append(*log, {"d", "e"});
  LogReader reader(*log, Offset(1));
  CHECK(must(reader.next(Offset(5)))->header.base_offset == Offset(0));
  CHECK(reader.next_offset() == Offset(3));
  CHECK(must(reader.next(Offset(5)))->header.base_offset == Offset(3));
  CHECK_FALSE(must(reader.next(Offset(5))).has_value());
}

TEST_CASE("log_reader: follows a log that grows and rolls through another handle") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env, tiny_segments());
    const auto writer = partition.open(), reading = partition.open();
    LogReader reader(*reading, Offset(0));
    for (int64_t n = 0; n < 50; ++n) {
      CHECK_FALSE(must(reader.next(reading->current_state()->high_watermark())).has_value());
      append_numbers(*writer, n, 1);
      CHECK(must(reader.next(reading->current_state()->high_watermark()))->header.base_offset == Offset(n));
    }
  }
}

TEST_CASE("log_reader: a first segment that is gone is damage, not a log that starts later") {
  ReadLog l;
  for (const std::string& file : {l.partition.log_file(0), l.partition.offset_index(0), l.partition.time_index(0)}) {
    must(l.env.files.unlink(file));
  }
  LogReader reader(*l.log, Offset(3));
  const Error error = error_of(reader.next(Offset(40)));
  CHECK(error.code == Errc::corrupt);
  CHECK(error.what == "'t-0' has lost the segment of offset 3");
  CHECK(contents(*l.log, l.bases[1].value) == numbers(l.bases[1].value, 40));
}

TEST_CASE("log_reader: the index makes a jump cheap, and without it the same is found") {
  LogConfig config;
  TestEnv env;
  TestPartition partition(env, config);
  const auto log = partition.open();
  const std::string value(10'000, 'x');
  for (int64_t n = 0; n < 400; ++n) append(*log, {value}, n);  // 4 MB in one segment
  const auto reads_for = [&](int64_t offset) {
    const int64_t before = env.files.calls(Call::read);
    LogReader reader(*log, Offset(offset));
    CHECK(must(reader.next(Offset(400)))->header.base_offset == Offset(offset));
    return env.files.calls(Call::read) - before;
  };
  CHECK(reads_for(399) < 20);  // a binary search over 400 entries, and the batch
  CHECK(reads_for(200) < 20);
  CHECK(reads_for(0) < 20);
  must(env.files.unlink(partition.offset_index()));
  CHECK(reads_for(399) > 25);
}

TEST_CASE("log_reader: a spoilt offset index costs time and nothing else") {
  for (const auto& row : kSpoilings) {
    CAPTURE(row.name);
    ReadLog l;
    for (const Offset base : l.bases) row.spoil(l.env, l.partition.offset_index(base.value));
    for (int64_t from = 0; from < 40; ++from) CHECK(contents(*l.log, from) == numbers(from, 40));
  }
}

TEST_CASE("log_reader: an index entry that points at another batch is not believed") {
  ReadLog l;
  const std::string path = l.partition.offset_index();
  std::string index = must(l.env.files.read_all(path));
  REQUIRE(index.size() >= 24);
  // The positions of two entries swapped: each names a real batch, but not its own.
  std::swap_ranges(index.begin() + 4, index.begin() + 8, index.begin() + 12);
  overwrite(l.env.files, path, index);
  for (int64_t from = 0; from < 13; ++from) CHECK(contents(*l.log, from) == numbers(from, 40));
}

TEST_CASE("log_reader: any flipped byte of a log is noticed and nothing of its batch is returned") {
  ReadLog good;
  const std::string expected = contents(*good.log);
  for (const Offset base : good.bases) {
    const std::string path = good.partition.log_file(base.value);
    const uint64_t size = size_of(good.env.files, path);
    for (uint64_t at = 0; at < size; ++at) {
      for (const uint8_t mask : kMasks) {
        flip_bits(good.env.files, path, at, mask);
        const std::string seen = contents(*good.log);
        const std::string_view before_damage =
            std::string_view(seen).substr(0, seen.size() - std::min<size_t>(seen.size(), 8));
        if (!seen.ends_with("!corrupt") || !std::string_view(expected).starts_with(before_damage)) {
          FAIL_CHECK(path, " @ ", at, ": ", seen);
        }
        flip_bits(good.env.files, path, at, mask);
      }
    }
  }
  CHECK(contents(*good.log) == expected);
}

TEST_CASE("log_reader: behind any flipped byte the reading goes on, and only the batch that was hit is left out") {
  ReadLog l;
  for (const Offset base : l.bases) {
    const std::string path = l.partition.log_file(base.value);
    const uint64_t size = size_of(l.env.files, path);
    for (uint64_t at = 0; at < size; ++at) {
      for (const uint8_t mask : kMasks) {
        flip_bits(l.env.files, path, at, mask);
        const int64_t hit = base.value + static_cast<int64_t>(batch_at(l, path, at));
        const std::string expected = join(numbers(0, hit), join("!" + std::to_string(hit), numbers(hit + 1, 40)));
        if (const std::string seen = readable(*l.log); seen != expected) FAIL_CHECK(path, " @ ", at, ": ", seen);
        flip_bits(l.env.files, path, at, mask);
      }
    }
  }
  CHECK(readable(*l.log) == numbers(0, 40));
}

TEST_CASE("log_reader: behind a lost, emptied or shortened segment the reading goes on") {
  ReadLog l;
  const int64_t second = l.bases[1].value, third = l.bases[2].value;
  const auto lost = [](int64_t from, int64_t to) {
    return "!" + std::to_string(from) + (to - from > 1 ? "-" + std::to_string(to - 1) : "");
  };
  const std::string without_second = join(numbers(0, second), join(lost(second, third), numbers(third, 40)));
  const std::string path = l.partition.log_file(second);
  must(must(l.env.files.open(path, OpenMode::write))->truncate(size_of(l.env.files, path) - 1));
  CHECK(readable(*l.log) == join(numbers(0, third - 1), join(lost(third - 1, third), numbers(third, 40))));
  must(must(l.env.files.open(path, OpenMode::write))->truncate(0));
  CHECK(readable(*l.log) == without_second);
  must(l.env.files.unlink(path));
  CHECK(readable(*l.log) == without_second);
  CHECK(readable(*l.log, second + 1) == join(lost(second + 1, third), numbers(third, 40)));
  const std::string active = l.partition.log_file(third);
  must(must(l.env.files.open(active, OpenMode::write))->truncate(10));
  CHECK(readable(*l.log, third) == lost(third, 40));
}

TEST_CASE("log_reader: behind damage at the end, what is written later is read") {
  ReadLog l;
  const std::string active = l.partition.log_file(l.bases.back().value);
  flip_bits(l.env.files, active, size_of(l.env.files, active) - 1);
  LogReader reader(*l.log, Offset(39));
  CHECK(code_of(reader.next(Offset(40))) == Errc::corrupt);
  must(reader.skip_damage(Offset(40)));
  CHECK(reader.next_offset() == Offset(40));
  CHECK_FALSE(must(reader.next(Offset(40))).has_value());
  append_numbers(*l.log, 40, 20);
  CHECK(must(reader.next(Offset(60)))->header.base_offset == Offset(40));
  CHECK(readable(*l.log, 38) == join("38:38 !39", numbers(40, 60)));
}

TEST_CASE("log_reader: behind damage a base offset is believed only if the next batch agrees") {
  ReadLog l;
  const std::string path = l.partition.log_file(0);
  const uint64_t size = TestBatch({"1"}).bytes().size();
  flip_bits(l.env.files, path, 3 * size + 65);        // batch 3 is damaged
  flip_bits(l.env.files, path, 4 * size + 7, 4 ^ 8);  // batch 4 says that it is batch 8
  CHECK(readable(*l.log) == join(numbers(0, 3), join("!3-4", numbers(5, 40))));
}

TEST_CASE("log_reader: a search by time goes on behind damage where that is asked for") {
  ReadLog l;
  for (const Offset base : l.bases) must(l.env.files.unlink(l.partition.time_index(base.value)));
  flip_bits(l.env.files, l.partition.log_file(0), 65);
  CHECK(code_of(find_offset_by_time(*l.log, 1050, Offset(0), Offset(40))) == Errc::corrupt);
  CHECK(must(find_offset_by_time(*l.log, 1050, Offset(0), Offset(40), true)) == Offset(5));
  CHECK(must(find_offset_by_time(*l.log, 1000, Offset(0), Offset(40), true)) == Offset(1));
}

TEST_CASE("log_reader: damage names the file and the byte, and stays") {
  ReadLog l;
  const std::string path = l.partition.log_file(l.bases[1].value);
  flip_bits(l.env.files, path, 100);
  LogReader reader(*l.log, l.bases[1]);
  CHECK(must(reader.next(Offset(40))).has_value());
  for (int i = 0; i < 2; ++i) {
    const Error error = error_of(reader.next(Offset(40)));
    CHECK(error.code == Errc::corrupt);
    CHECK(error.path == path);
    CHECK(error.position.has_value());
    CHECK(*error.position > 60);
    CHECK(*error.position < 80);
  }
}

TEST_CASE("log_reader: a segment that is missing, or another's in its place, is damage") {
  ReadLog l;
  must(l.env.files.rename(l.partition.log_file(l.bases[1].value), l.partition.directory() + "/lost"));
  CHECK(contents(*l.log) == numbers(0, l.bases[1].value) + " !corrupt");
  CHECK(contents(*l.log, l.bases[2].value) == numbers(l.bases[2].value, 40));
  copy_tree(l.env.files, l.partition.log_file(l.bases[2].value), l.partition.log_file(l.bases[1].value));
  CHECK(contents(*l.log) == numbers(0, l.bases[1].value) + " !corrupt");
}

TEST_CASE("log_reader: a log file cut short by somebody else is an error at once") {
  ReadLog l;
  const std::string active = l.partition.log_file(l.bases.back().value);
  must(must(l.env.files.open(active, OpenMode::write))->truncate(size_of(l.env.files, active) - 1));
  CHECK(contents(*l.log) == numbers(0, 39) + " !corrupt");
  const std::string sealed = l.partition.log_file(l.bases[1].value);
  must(must(l.env.files.open(sealed, OpenMode::write))->truncate(0));
  CHECK(contents(*l.log) == numbers(0, l.bases[1].value) + " !corrupt");
}

TEST_CASE("log_reader: epochs go up and never beyond the log's own") {
  ReadLog l;
  l.log->current_state()->page().leader_epoch = 5;
  append_numbers(*l.log, 40, 2);
  CHECK(contents(*l.log) == numbers(0, 42));
  const std::string active = l.partition.log_file(l.bases.back().value);
  const uint64_t last = size_of(l.env.files, active) - TestBatch({"41"}).bytes().size();
  flip_bits(l.env.files, active, last + 15, 5 ^ 4);  // epoch 4 after 5
  CHECK(contents(*l.log, 38) == numbers(38, 41) + " !corrupt");
  flip_bits(l.env.files, active, last + 15, 4 ^ 6);  // epoch 6, of a future
  CHECK(contents(*l.log, 38) == numbers(38, 41) + " !corrupt");
}

TEST_CASE("log_reader: the first record that is not earlier") {
  ReadLog l;
  CHECK(l.at_time(0) == Offset(0));
  CHECK(l.at_time(1000) == Offset(0));
  CHECK(l.at_time(1001) == Offset(1));
  CHECK(l.at_time(1390) == Offset(39));
  CHECK(l.at_time(1391) == Offset(40));
  CHECK(l.at_time(INT64_MAX) == Offset(40));
  for (int64_t n = 0; n < 40; ++n) {
    CHECK(l.at_time(1000 + 10 * n) == Offset(n));
    CHECK(l.at_time(1000 + 10 * n - 9) == Offset(n));
  }
}

TEST_CASE("log_reader: a search by time stays within its bounds") {
  ReadLog l;
  CHECK(l.at_time(0, 7) == Offset(7));
  CHECK(l.at_time(1050, 20) == Offset(20));
  CHECK(l.at_time(1300, 0, 30) == Offset(30));  // record 30 has that time, but is not looked at
  CHECK(l.at_time(1290, 0, 30) == Offset(29));
  CHECK(l.at_time(1000, 40, 40) == Offset(40));
  CHECK(l.at_time(1000, 0, 0) == Offset(0));
}

TEST_CASE("log_reader: a search by time finds the record inside its batch") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append(*log, {"a", "b", "c", "d"}, 5000);
  append(*log, {"e", "f"}, 6000);
  CHECK(must(find_offset_by_time(*log, 5002, Offset(0), Offset(6))) == Offset(2));
  CHECK(must(find_offset_by_time(*log, 5004, Offset(0), Offset(6))) == Offset(4));
  CHECK(must(find_offset_by_time(*log, 5000, Offset(1), Offset(6))) == Offset(1));
}

TEST_CASE("log_reader: with times in disorder, the first in offset order that is late enough") {
  SeededRandom random;
  for (int round = 0; round < 20; ++round) {
    TestEnv env;
    TestPartition partition(env, tiny_segments());
    const auto log = partition.open();
    std::vector<int64_t> times;
    for (int64_t n = 0; n < 60; ++n) {
      times.push_back(1000 + static_cast<int64_t>(random.below(500)));
      append(*log, {"x"}, times.back());
    }
    for (int64_t ms = 990; ms < 1510; ms += 7) {
      const auto found = std::find_if(times.begin(), times.end(), [&](int64_t time) { return time >= ms; });
      REQUIRE(must(find_offset_by_time(*log, ms, Offset(0), Offset(60))) == Offset(found - times.begin()));
    }
  }
}

TEST_CASE("log_reader: a spoilt time index costs time and nothing else") {
  for (const auto& row : kSpoilings) {
    CAPTURE(row.name);
    ReadLog l;
    for (const Offset base : l.bases) row.spoil(l.env, l.partition.time_index(base.value));
    for (int64_t n = 0; n < 40; ++n) CHECK(l.at_time(1000 + 10 * n) == Offset(n));
    CHECK(l.at_time(1391) == Offset(40));
  }
}

TEST_CASE("log_reader: the time index makes a search cheap") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  const std::string value(10'000, 'x');
  for (int64_t n = 0; n < 400; ++n) append(*log, {value}, n);
  const int64_t before = env.files.calls(Call::read);
  CHECK(must(find_offset_by_time(*log, 399, Offset(0), Offset(400))) == Offset(399));
  CHECK(env.files.calls(Call::read) - before < 40);
}
