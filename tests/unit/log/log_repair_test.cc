#include "core/log/log_repair.h"

#include <fmt/format.h>

#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

// Three records to a segment.
LogConfig segments_of_three() {
  LogConfig config;
  config.segment_bytes = 220;
  config.index_interval_bytes = 60;
  return config;
}

// A log of four small segments and more, and what repair says of it: "lost 19-27, restored 3-3".
struct Repaired {
  explicit Repaired(int64_t records = 30) : partition(env, segments_of_three()) {
    append_numbers(*partition.open(), 0, records);
    bases = must(list_segments(env.files, partition.directory()));
    REQUIRE(bases.size() >= 4);
  }
  Result<RepairTotals> try_repair(bool apply) {
    said.clear();
    return repair_log(env.env(), partition.spec(), apply, env.clock().after(Duration(0)), [&](const RepairItem& item) {
      if (item.first < item.end)
        said += fmt::format("{}{} {}-{}", said.empty() ? "" : ", ", item.is_lost ? "lost" : "restored",
                            item.first.value, item.end.value);
    });
  }
  RepairTotals repair(bool apply = true) { return must(try_repair(apply)); }
  std::string log_path(size_t segment) { return partition.log_file(bases[segment].value); }
  // The byte where the batch of `offset`, a record a batch, begins.
  uint64_t position_of(size_t segment, int64_t offset) {
    const auto file = must(env.files.open(log_path(segment), OpenMode::read));
    BatchScanner scanner(*file);
    for (int64_t at = bases[segment].value; at < offset; ++at) must(scanner.next(UINT64_MAX >> 1));
    return scanner.position();
  }
  std::string held() { return contents(*partition.open()); }

  TestEnv env;
  TestPartition partition;
  std::vector<Offset> bases;
  std::string said;
};

// "0:0 1:1 …" without the offsets from `first` to below `end`.
std::string numbers_without(int64_t count, int64_t first, int64_t end) {
  const std::string before = numbers(0, first), after = numbers(end, count);
  return before + (before.empty() || after.empty() ? "" : " ") + after;
}

}  // namespace

TEST_CASE("log_repair: an intact log is left alone, though others have it open") {
  Repaired r;
  const auto open = r.partition.open();
  const std::string before = must(r.env.files.read_all(r.log_path(0)));
  const int64_t renames = r.env.files.calls(Call::rename);
  CHECK(r.repair().nothing_to_do());
  CHECK(r.said == "");
  CHECK(r.env.files.calls(Call::rename) == renames);
  CHECK(must(r.env.files.read_all(r.log_path(0))) == before);
}

TEST_CASE("log_repair: damage costs the batch that it is in, and no other; the bytes are kept") {
  Repaired r;
  const int64_t hurt = r.bases[1].value + 1;
  const uint64_t at = r.position_of(1, hurt), end = r.position_of(1, hurt + 1);
  flip_bits(r.env.files, r.log_path(1), at + 65);
  const std::string damaged = must(r.env.files.read_all(r.log_path(1))).substr(at, end - at);

  CHECK(r.repair(false).lost_offsets == 1);  // looking changes nothing
  CHECK(r.said == fmt::format("lost {}-{}", hurt, hurt + 1));
  CHECK(r.held() == numbers(0, hurt) + " !corrupt");

  const RepairTotals totals = r.repair();
  CHECK(r.said == fmt::format("lost {}-{}", hurt, hurt + 1));
  CHECK(totals.lost_offsets == 1);
  CHECK(totals.rewritten_segments == 1);
  CHECK(r.held() == numbers_without(30, hurt, hurt + 1));
  CHECK(faults_of(*r.partition.open()) == "");
  CHECK(must(r.env.files.read_all(names::damaged(r.partition.directory(), r.bases[1], 1))) == damaged);
  CHECK(r.repair().nothing_to_do());
  append_numbers(*r.partition.open(), 30, 5);
  CHECK(r.held() == numbers_without(35, hurt, hurt + 1));
}

TEST_CASE("log_repair: a base offset or an epoch that went bad is restored, and nothing is lost") {
  for (const uint64_t field : {uint64_t{6}, uint64_t{12}}) {
    for (const int64_t hurt : {int64_t{0}, int64_t{1}, int64_t{29}}) {
      Repaired r;
      size_t segment = r.bases.size() - 1;
      while (r.bases[segment].value > hurt) --segment;
      flip_bits(r.env.files, r.log_path(segment), r.position_of(segment, hurt) + field);
      CHECK(r.held() != numbers(0, 30));
      CHECK(r.repair().lost_offsets == 0);
      CHECK(r.said == fmt::format("restored {}-{}", hurt, hurt + 1));
      CHECK(r.held() == numbers(0, 30));
      CHECK(faults_of(*r.partition.open()) == "");
    }
  }
}

TEST_CASE("log_repair: segments that are gone, cut short, empty or another's") {
  struct Row {
    const char* what;
    void (*spoil)(Repaired&);
    int64_t (*first)(Repaired&);
    int64_t (*end)(Repaired&);
  };
  const Row rows[] = {
      {"the first is gone", [](Repaired& r) { must(r.env.files.unlink(r.log_path(0))); },
       [](Repaired&) -> int64_t { return 0; }, [](Repaired& r) { return r.bases[1].value; }},
      {"one in the middle is gone", [](Repaired& r) { must(r.env.files.unlink(r.log_path(2))); },
       [](Repaired& r) { return r.bases[2].value; }, [](Repaired& r) { return r.bases[3].value; }},
      {"one is empty", [](Repaired& r) { overwrite(r.env.files, r.log_path(1), ""); },
       [](Repaired& r) { return r.bases[1].value; }, [](Repaired& r) { return r.bases[2].value; }},
      {"one ends in the middle of a batch",
       [](Repaired& r) {
         must(must(r.env.files.open(r.log_path(1), OpenMode::write))
                  ->truncate(r.position_of(1, r.bases[1].value + 1) + 9));
       },
       [](Repaired& r) { return r.bases[1].value + 1; }, [](Repaired& r) { return r.bases[2].value; }},
      {"one is another's",
       [](Repaired& r) { overwrite(r.env.files, r.log_path(1), must(r.env.files.read_all(r.log_path(2)))); },
       [](Repaired& r) { return r.bases[1].value; }, [](Repaired& r) { return r.bases[2].value; }},
      {"the active one is gone", [](Repaired& r) { must(r.env.files.unlink(r.log_path(r.bases.size() - 1))); },
       [](Repaired& r) { return r.bases.back().value; }, [](Repaired&) -> int64_t { return 30; }},
      {"the active one is empty", [](Repaired& r) { overwrite(r.env.files, r.log_path(r.bases.size() - 1), ""); },
       [](Repaired& r) { return r.bases.back().value; }, [](Repaired&) -> int64_t { return 30; }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Repaired r;
    row.spoil(r);
    const int64_t first = row.first(r), end = row.end(r);
    CHECK(r.repair().lost_offsets == end - first);
    CHECK(r.held() == numbers_without(30, first, end));
    CHECK(faults_of(*r.partition.open()) == "");
    CHECK(r.repair().nothing_to_do());
    append_numbers(*r.partition.open(), 30, 10);
    CHECK(r.held() == numbers_without(40, first, end));
  }
}

TEST_CASE("log_repair: a byte flipped anywhere costs at most its own batch") {
  Repaired original(12);
  SeededRandom random;
  for (size_t segment = 0; segment < original.bases.size(); ++segment) {
    const uint64_t size = size_of(original.env.files, original.log_path(segment));
    for (uint64_t at = 0; at < size; at += 1 + random.next() % 5) {
      Repaired r(12);
      flip_bits(r.env.files, r.log_path(segment), at, static_cast<uint8_t>(1 << random.next() % 8));
      const RepairTotals totals = r.repair();
      const std::string after = r.held();
      if (faults_of(*r.partition.open()) != "" || totals.lost_offsets > 1 || after.find('!') != std::string::npos) {
        FAIL_CHECK("segment ", segment, " @ ", at, ": lost ", totals.lost_offsets, ": ", after);
      }
      if (totals.lost_offsets == 0) CHECK(after == numbers(0, 12));
    }
  }
}

TEST_CASE("log_repair: interrupted at any call it has lost nothing, and is run again") {
  for (int64_t n = 1;; ++n) {
    Repaired r(12);
    const int64_t hurt = r.bases[1].value;
    flip_bits(r.env.files, r.log_path(1), r.position_of(1, hurt) + 65);
    must(r.env.files.unlink(r.partition.offset_index(r.bases[0].value)));
    r.env.files.arm({.nth = n, .sys_errno = n % 2 == 0 ? ENOSPC : EIO, .prefix_bytes = 20, .for_ever = true});
    const auto repaired = r.try_repair(true);
    const bool fired = r.env.files.fired() > 0;
    r.env.files.disarm();
    if (!fired) {
      MESSAGE("every one of ", n - 1, " calls failed");
      must(repaired);
      break;
    }
    r.repair();
    CHECK(r.held() == numbers_without(12, hurt, hurt + 1));
    CHECK(faults_of(*r.partition.open()) == "");
    CHECK(r.partition.files_ending(".repaired") == "");
  }
}

TEST_CASE("log_repair: nobody may have the partition open") {
  Repaired r;
  flip_bits(r.env.files, r.log_path(1), 65);
  {
    const auto open = r.partition.open();
    const Error error = error_of(r.try_repair(true));
    CHECK(error.code == Errc::busy);
    CHECK(error.what == "other processes have 't-0' open: stop them first");
  }
  CHECK(r.repair().lost_offsets == 1);
}

TEST_CASE("log_repair: a partition that is offline since a flush failed is copied, and comes back with everything") {
  Repaired r(12);
  {
    const auto log = r.partition.open();
    r.env.files.arm({.kind = Call::sync, .sys_errno = EIO});
    CHECK(code_of(log->flush(r.env.soon())) == Errc::io);
    r.env.files.disarm();
  }
  CHECK(code_of(try_append(*r.partition.open(), {"x"})) == Errc::io);
  CHECK(r.repair(false).is_offline);
  CHECK(code_of(try_append(*r.partition.open(), {"x"})) == Errc::io);
  const int64_t syncs = r.env.files.calls(Call::sync);
  const RepairTotals totals = r.repair();
  CHECK(totals.is_offline);
  CHECK(totals.lost_offsets == 0);
  CHECK(std::cmp_equal(totals.rewritten_segments, r.bases.size()));
  CHECK(r.env.files.calls(Call::sync) >= syncs + totals.rewritten_segments);
  CHECK(r.held() == numbers(0, 12));
  append_numbers(*r.partition.open(), 12, 3);
  CHECK(must(r.partition.open()->flush(r.env.soon())) == Offset(15));
}

TEST_CASE("log_repair: what is made from the logs is made again, and no record is lost") {
  struct Row {
    const char* what;
    void (*spoil)(Repaired&);
  };
  const Row rows[] = {
      {"an offset index",
       [](Repaired& r) {
         overwrite(r.env.files, r.partition.offset_index(r.bases[1].value), std::string(16, '\x7f'));
       }},
      {"a time index", [](Repaired& r) { must(r.env.files.unlink(r.partition.time_index(r.bases[0].value))); }},
      {"the epochs", [](Repaired& r) { must(r.env.files.unlink(names::epoch_checkpoint(r.partition.directory()))); }},
      {"the metadata",
       [](Repaired& r) { must(r.env.files.unlink(names::partition_metadata(r.partition.directory()))); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Repaired r;
    row.spoil(r);
    const RepairTotals totals = r.repair();
    CHECK(totals.restored >= 1);
    CHECK(totals.lost_offsets == 0);
    CHECK(r.held() == numbers(0, 30));
    CHECK(faults_of(*r.partition.open()) == "");
    CHECK(r.repair().nothing_to_do());
  }
}

TEST_CASE("log_repair: of a partition without files, no offset that was flushed is used again") {
  for (const bool directory_too : {true, false}) {
    Repaired r;
    r.partition.set_recovery_point(30);
    if (directory_too) {
      must(r.env.files.remove_tree(r.partition.directory()));
    } else {
      for (const Offset base : r.bases) must(r.env.files.unlink(r.partition.log_file(base.value)));
    }
    const RepairTotals totals = r.repair();
    CHECK(totals.lost_offsets == 30);
    CHECK(r.held() == "");
    CHECK(append(*r.partition.open(), {"30"}) == Offset(30));
    CHECK(r.held() == "30:30");
    CHECK(faults_of(*r.partition.open()) == "");
  }
}
