#include "core/log/log_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

// Forty numbered records in three segments, all closed. "Flushed" raises the recovery point to their end.
struct Crashed {
  explicit Crashed(Machine machine = Machine::memory) : env(machine), partition(env, tiny_segments()) {
    const auto log = partition.open();
    append_numbers(*log, 0, 40);
    bases = must(list_segments(env.files, partition.directory()));
    REQUIRE(bases == std::vector{Offset(0), Offset(14), Offset(28)});
  }

  std::string file(size_t segment) const { return partition.log_file(bases[segment].value); }
  int64_t base(size_t segment) const { return bases[segment].value; }
  uint64_t size(size_t segment) { return size_of(env.files, file(segment)); }
  // Where the nth batch of a segment begins.
  uint64_t batch_at(size_t segment, int n) {
    const auto log = must(env.files.open(file(segment), OpenMode::read));
    BatchScanner scanner(*log);
    while (n-- > 0) must(scanner.next(UINT64_MAX >> 1));
    return scanner.position();
  }
  void cut(size_t segment, uint64_t bytes) {
    must(must(env.files.open(file(segment), OpenMode::write))->truncate(bytes));
  }
  void add(size_t segment, std::string_view bytes) {
    must(must(env.files.open(file(segment), OpenMode::write))->write_at(size(segment), as_bytes(bytes)));
  }
  void lose_page() { must(env.files.unlink(partition.page_file())); }
  std::string epochs() { return must(env.files.read_all(names::epoch_checkpoint(partition.directory()))); }

  // Everything in the partition's directory but the page, and but the time indexes: a sealed segment's has one entry
  // more than that of an active one, and recovery may turn the first into the second.
  std::map<std::string, std::string> everything() {
    std::map<std::string, std::string> all;
    for (const auto& name : must(env.files.list(partition.directory()))) {
      if (name != "partition.state" && !name.ends_with(".timeindex"))
        all[name] = must(env.files.read_all(partition.directory() + "/" + name));
    }
    return all;
  }

  TestEnv env;
  TestPartition partition;
  std::vector<Offset> bases;
};

struct Row {
  const char* name;
  void (*spoil)(Crashed&);
  std::string (*readable)(Crashed&);         // afterwards, from the start
  int64_t end;                               // the offset that the next record gets
  const char* torn = "";                     // files of cut bytes
  const char* notice = "";                   // a part of what is said; empty: nothing is
  const char* epochs = "0\n2\n0 0\n1 40\n";  // a new epoch at the log's end
};

std::string all_forty(Crashed&) { return numbers(0, 40); }

const Row kRows[] = {
    {"a restart, and nothing wrong", [](Crashed& c) { c.env.reboot(); }, all_forty, 40},
    {"a restart after a flush",
     [](Crashed& c) {
       c.partition.set_recovery_point(40);
       c.env.reboot();
     },
     all_forty, 40},
    {"a dead tail in the same boot, and the page is good", [](Crashed& c) { c.add(2, "dead"); }, all_forty, 40, "", "",
     "0\n1\n0 0\n"},
    {"the page deleted", [](Crashed& c) { c.lose_page(); }, all_forty, 40},
    {"the page is garbage",
     [](Crashed& c) { overwrite(c.env.files, c.partition.page_file(), c.env.random.bytes(StatePage::kBytes)); },
     all_forty, 40},
    {"the page is short", [](Crashed& c) { overwrite(c.env.files, c.partition.page_file(), "x"); }, all_forty, 40},
    {"the page is another partition's, copied",
     [](Crashed& c) {
       TestEnv& env = c.env;
       must(env.files.make_directory(env.root() + "/other"));
       must(PartitionLog::create(env.env(), env.root() + "/other", c.partition.spec().partition, c.partition.id));
       overwrite(env.files, c.partition.page_file(),
                 must(env.files.read_all(env.root() + "/other/t-0/partition.state")));
     },
     all_forty, 40, "", "", "0\n1\n0 0\n"},
    {"the directory copied, as a backup is",
     [](Crashed& c) {
       must(c.env.files.rename(c.partition.directory(), c.env.root() + "/original"));
       copy_tree(c.env.files, c.env.root() + "/original", c.partition.directory());
     },
     all_forty, 40, "", "", "0\n1\n0 0\n"},
    {"garbage behind the last batch",
     [](Crashed& c) {
       c.add(2, "garbage");
       c.env.reboot();
     },
     all_forty, 40, "00000000000000000028.torn-1",
     "recovered 't-0': cut 7 bytes after offset 39, with 0 whole batches of 0 offsets"},
    {"zeros behind the last batch are not worth keeping",
     [](Crashed& c) {
       c.add(2, std::string(5000, '\0'));
       c.env.reboot();
     },
     all_forty, 40, "", "recovered 't-0': cut 5000 bytes after offset 39"},
    {"half of the last batch",
     [](Crashed& c) {
       c.cut(2, c.size(2) - 20);
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 39); }, 39, "00000000000000000028.torn-1",
     "after offset 38, with 0 whole batches of 0 offsets (damaged batch: batch is cut short)", "0\n2\n0 0\n1 39\n"},
    {"a page of zeros in the middle of the active segment",
     [](Crashed& c) {
       must(must(c.env.files.open(c.file(2), OpenMode::write))
                ->write_at(c.batch_at(2, 3), as_bytes(std::string(100, '\0'))));
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 31); }, 31, "00000000000000000028.torn-1",
     "after offset 30, with 7 whole batches of 7 offsets", "0\n2\n0 0\n1 31\n"},
    {"a torn batch in an older segment, above the recovery point, ends the log there",
     [](Crashed& c) {
       c.partition.set_recovery_point(5);
       flip_bits(c.env.files, c.file(0), c.batch_at(0, 8) + 65);
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 8); }, 8,
     "00000000000000000000.torn-1 00000000000000000014.torn-1 00000000000000000028.torn-1",
     "in 3 segments after offset 7, with 31 whole batches of 31 offsets", "0\n2\n0 0\n1 8\n"},
    {"a segment lost above the recovery point takes those after it along",
     [](Crashed& c) {
       must(c.env.files.unlink(c.file(1)));
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 14); }, 14, "00000000000000000028.torn-1",
     "in 2 segments after offset 13, with 12 whole batches of 12 offsets", "0\n2\n0 0\n1 14\n"},
    {"an empty last segment, as a roll leaves it",
     [](Crashed& c) {
       must(create_segment(c.env.files, c.partition.directory(), Offset(40)));
       c.env.reboot();
     },
     all_forty, 40},
    {"damage in a sealed segment below the recovery point: every byte stays",
     [](Crashed& c) {
       c.partition.set_recovery_point(20);
       flip_bits(c.env.files, c.file(1), c.batch_at(1, 2) + 65);
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 16) + " !corrupt"; }, 40},
    {"damage in the active segment below the recovery point: the log goes on behind it",
     [](Crashed& c) {
       c.partition.set_recovery_point(40);
       flip_bits(c.env.files, c.file(2), c.batch_at(2, 4) + 65);
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 32) + " !corrupt"; }, 40, "",
     "'t-0' is damaged: offsets 32 to 39 cannot be read"},
    {"damage, and intact batches behind it above the recovery point: none of their offsets is used again",
     [](Crashed& c) {
       c.partition.set_recovery_point(34);
       flip_bits(c.env.files, c.file(2), c.batch_at(2, 4) + 65);
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 32) + " !corrupt"; }, 40, "",
     "'t-0' is damaged: offsets 32 to 39 cannot be read"},
    {"a log shorter than its recovery point",
     [](Crashed& c) {
       c.partition.set_recovery_point(40);
       c.cut(2, c.batch_at(2, 4));
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 32) + " !corrupt"; }, 40, "",
     "'t-0' is damaged: offsets 32 to 39 cannot be read (the file is shorter than it was)"},
    {"the active segment lost below the recovery point",
     [](Crashed& c) {
       c.partition.set_recovery_point(40);
       must(c.env.files.unlink(c.file(2)));
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 28) + " !corrupt"; }, 40, "", "'t-0' is damaged: offsets 28 to 39"},
    {"a sealed segment lost below the recovery point",
     [](Crashed& c) {
       c.partition.set_recovery_point(28);
       must(c.env.files.unlink(c.file(1)));
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 14) + " !corrupt"; }, 40},
    {"in the same boot, a log shorter than what readers were shown is damaged",
     [](Crashed& c) {
       c.cut(2, c.batch_at(2, 4));
       c.partition.open()->current_state()->page().untrusted = 1;
     },
     [](Crashed&) { return numbers(0, 32) + " !corrupt"; }, 40, "", "'t-0' is damaged: offsets 32 to 39",
     "0\n1\n0 0\n"},
    {"all index files lost",
     [](Crashed& c) {
       for (const Offset base : c.bases) {
         must(c.env.files.unlink(c.partition.offset_index(base.value)));
         must(c.env.files.unlink(c.partition.time_index(base.value)));
       }
       c.partition.set_recovery_point(40);
       c.env.reboot();
     },
     all_forty, 40},
    {"index files with half entries",
     [](Crashed& c) {
       for (const Offset base : c.bases) overwrite(c.env.files, c.partition.offset_index(base.value), "xyz");
       c.partition.set_recovery_point(40);
       c.env.reboot();
     },
     all_forty, 40},
    {"the epoch checkpoint lost",
     [](Crashed& c) {
       must(c.env.files.unlink(names::epoch_checkpoint(c.partition.directory())));
       c.env.reboot();
     },
     all_forty, 40},
    {"the epoch checkpoint garbage",
     [](Crashed& c) {
       overwrite(c.env.files, names::epoch_checkpoint(c.partition.directory()), "0\n9\n");
       c.env.reboot();
     },
     all_forty, 40},
    {"an epoch checkpoint ahead of a log that lost its end",
     [](Crashed& c) {
       overwrite(c.env.files, names::epoch_checkpoint(c.partition.directory()), "0\n3\n0 0\n1 35\n2 40\n");
       c.cut(2, c.batch_at(2, 4));
       c.env.reboot();
     },
     [](Crashed&) { return numbers(0, 32); }, 32, "", "", "0\n2\n0 0\n3 32\n"},
    {"the mark of a roll that was begun, and its leftover files",
     [](Crashed& c) {
       c.partition.open()->current_state()->page().rolling = 41;
       must(create_segment(c.env.files, c.partition.directory(), Offset(40)));
     },
     all_forty, 40, "", "", "0\n1\n0 0\n"},
};

}  // namespace

TEST_CASE("log_recovery: each shape of a crash, and what is left of the log") {
  for (const Machine machine : kEveryMachine) {
    for (const auto& row : kRows) {
      CAPTURE(row.name);
      CAPTURE(machine == Machine::disk);
      Crashed c(machine);
      row.spoil(c);
      c.env.clear_notices();
      auto log = c.partition.open();
      CHECK(contents(*log) == row.readable(c));
      CHECK(c.epochs() == row.epochs);
      CHECK(c.partition.files_ending("torn-1") == row.torn);
      const std::string notices = c.env.notices();
      CHECK((*row.notice == '\0' ? notices == "" : notices.find(row.notice) != std::string::npos));
      if (*row.notice != '\0') CAPTURE(notices);
      CHECK(log->current_state()->position().log_start == Offset(0));
      CHECK(log->current_state()->page().flushed <= row.end);

      // The log goes on, and what comes new is whole.
      CHECK(append(*log, {"next"}) == Offset(row.end));
      append(*log, {"more"});
      CHECK(contents(*log, row.end) == fmt::format("{}:next {}:more", row.end, row.end + 1));
      const bool damaged = row.readable(c).ends_with("!corrupt");
      CHECK((faults_of(*log) == "") == !damaged);
    }
  }
}

TEST_CASE("log_recovery: a second recovery finds the work done") {
  for (const auto& row : kRows) {
    CAPTURE(row.name);
    Crashed c;
    row.spoil(c);
    const FileInfo page = c.env.files.info(c.partition.page_file()).value_or(FileInfo{});
    must(c.partition.try_open());
    if (must(c.env.files.info(c.partition.page_file())).inode == page.inode)
      c.lose_page();  // it was good: nothing was done
    must(c.partition.try_open());
    const auto after_first = c.everything();
    const std::string readable = contents(*c.partition.open());
    c.lose_page();
    c.env.clear_notices();
    must(c.partition.try_open());
    auto after_second = c.everything();
    CHECK(c.env.notices() == "");
    CHECK(contents(*c.partition.open()) == readable);
    // Each time that records might be gone is a new epoch.
    CHECK(after_second.at("leader-epoch-checkpoint") != after_first.at("leader-epoch-checkpoint"));
    after_second["leader-epoch-checkpoint"] = after_first.at("leader-epoch-checkpoint");
    CHECK((after_second == after_first));
  }
}

TEST_CASE("log_recovery: interrupted at any call, and run again, it gives the same log") {
  for (const auto& row : kRows) {
    CAPTURE(row.name);
    Crashed whole;
    row.spoil(whole);
    auto log = whole.partition.open();
    const std::string readable = contents(*log);
    const Offset end = log->current_state()->position().log_end;
    for (const bool dies : {false, true}) {  // one call fails, or nothing works any more
      for (int64_t n = 1;; ++n) {
        CAPTURE(dies);
        CAPTURE(n);
        Crashed c;
        row.spoil(c);
        c.env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 40, .for_ever = dies});
        (void)c.partition.try_open();
        c.env.files.disarm();
        log = c.partition.open();
        REQUIRE(contents(*log) == readable);
        REQUIRE(log->current_state()->position().log_end == end);
        append(*log, {"next"});
        REQUIRE(contents(*log, end.value) == fmt::format("{}:next", end.value));
        if (c.env.files.fired() == 0) break;
      }
    }
  }
}

TEST_CASE("log_recovery: the bytes that were cut are all in the torn files") {
  Crashed c;
  const uint64_t at = c.batch_at(0, 8);
  flip_bits(c.env.files, c.file(0), at + 65);
  const std::string first = must(c.env.files.read_all(c.file(0))), second = must(c.env.files.read_all(c.file(1)));
  c.env.reboot();
  c.partition.open();
  CHECK(must(c.env.files.read_all(c.file(0))) == first.substr(0, at));
  CHECK(must(c.env.files.read_all(c.partition.torn_file(0, 1))) == first.substr(at));
  CHECK(must(c.env.files.read_all(c.partition.torn_file(14, 1))) == second);
  CHECK_FALSE(exists(c.env.files, c.file(1)));
  CHECK_FALSE(exists(c.env.files, c.partition.offset_index(14)));
}

TEST_CASE("log_recovery: torn files are numbered, none is written over") {
  Crashed c;
  for (int n = 1; n <= 3; ++n) {
    const std::string tail = "tail " + std::to_string(n);
    c.add(2, tail);
    c.env.reboot();
    c.partition.open();
    CHECK(must(c.env.files.read_all(c.partition.torn_file(28, n))) == tail);
  }
}

TEST_CASE("log_recovery: only segments from the recovery point on are read") {
  Crashed c;
  must(c.env.files.unlink(c.partition.page_file()));
  flip_bits(c.env.files, c.file(0), c.batch_at(0, 1) + 65);
  c.partition.set_recovery_point(30);
  c.env.clear_notices();
  auto log = c.partition.open();
  CHECK(c.env.notices() == "");
  CHECK(log->current_state()->position().log_end == Offset(40));
  CHECK(log->current_state()->page().flushed == 30);
  CHECK(contents(*log) == "0:0 !corrupt");
  CHECK(contents(*log, 14) == numbers(14, 40));
}

TEST_CASE("log_recovery: who may only read sees the same end, and nothing is mended") {
  for (const auto& row : kRows) {
    CAPTURE(row.name);
    Crashed c;
    row.spoil(c);
    const auto before = c.everything();
    const std::string seen = contents(*c.partition.open(Access::read_only));
    CHECK((c.everything() == before));
    std::string recovered = contents(*c.partition.open());
    if (recovered.ends_with(" !corrupt")) recovered.resize(recovered.size() - 9);
    CHECK(seen.starts_with(recovered));
  }
}

TEST_CASE("log_recovery: the indexes of scanned segments are what appending would have written") {
  Crashed c;
  std::map<std::string, std::string> before;
  for (const Offset base : c.bases) {
    for (const std::string& path : {c.partition.offset_index(base.value), c.partition.time_index(base.value)}) {
      before[path] = must(c.env.files.read_all(path));
    }
  }
  for (const Offset base : c.bases) {
    overwrite(c.env.files, c.partition.offset_index(base.value), std::string(80, 'x'));
    overwrite(c.env.files, c.partition.time_index(base.value), "");
  }
  c.env.reboot();
  const auto log = c.partition.open();
  for (const auto& [path, content] : before) {
    CAPTURE(path);
    CHECK(hex(must(c.env.files.read_all(path))) == hex(content));
  }
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_recovery: epochs that the checkpoint lost come from the batches") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  for (int64_t n = 0; n < 9; n += 3) {
    append_numbers(*partition.open(), n, 3);
    env.reboot();
  }
  const std::string path = names::epoch_checkpoint(partition.directory());
  partition.open();
  CHECK(must(env.files.read_all(path)) == "0\n4\n0 0\n1 3\n2 6\n3 9\n");
  must(env.files.unlink(path));
  env.reboot();
  const auto log = partition.open();
  CHECK(must(env.files.read_all(path)) == "0\n4\n0 0\n1 3\n2 6\n3 9\n");
  CHECK(log->current_state()->page().leader_epoch == 3);
  CHECK(contents(*log) == numbers(0, 9));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_recovery: a log whose epoch checkpoint is lost stays readable though its last segment is empty") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  for (int64_t n = 0; n < 9; n += 3) {
    append_numbers(*partition.open(), n, 3);
    env.reboot();
  }
  must(create_segment(env.files, partition.directory(), Offset(9)));  // a roll, and nothing written since
  partition.set_recovery_point(9);
  must(env.files.unlink(names::epoch_checkpoint(partition.directory())));
  const auto log = partition.open();
  CHECK(contents(*log) == numbers(0, 9));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_recovery: an epoch that only a damaged header speaks of is never believed") {
  for (const uint8_t mask : {uint8_t{0x40}, uint8_t{0x7f}, uint8_t{0x80}}) {
    CAPTURE(int{mask});
    Crashed c;
    flip_bits(c.env.files, c.file(2), c.batch_at(2, 5) + 12, mask);  // the epoch's highest byte, outside the CRC
    c.env.reboot();
    const auto log = c.partition.open();
    CHECK(log->current_state()->page().leader_epoch == 1);
    CHECK(c.epochs() == "0\n2\n0 0\n1 40\n");
    CHECK(contents(*log) == numbers(0, 33) + " !corrupt");
    CHECK(append(*log, {"next"}) == Offset(40));
    CHECK(contents(*log, 40) == "40:next");
  }
}

TEST_CASE("log_recovery: what was acknowledged behind damage survives the loss of everything that is not on disk") {
  Crashed c;
  c.cut(2, c.batch_at(2, 4));  // readers had been shown offsets to 39
  auto log = c.partition.open();
  CHECK(append(*log, {"flushed"}) == Offset(40));
  must(log->flush(c.env.soon()));
  log.reset();
  c.env.reboot();
  log = c.partition.open();
  CHECK(contents(*log, 40) == "40:flushed");
  CHECK(append(*log, {"next"}) == Offset(41));
  CHECK(c.partition.files_ending("torn-1") == "");
}

TEST_CASE("log_recovery: without any segment there is nothing to recover") {
  Crashed c;
  for (size_t i = 0; i < c.bases.size(); ++i) must(c.env.files.unlink(c.file(i)));
  c.lose_page();
  const Error error = error_of(c.partition.try_open());
  CHECK(error.code == Errc::corrupt);
  CHECK(error.what == "partition 't-0' has no segment files");
}

TEST_CASE("log_recovery: a random crash loses nothing that was flushed, and invents nothing") {
  // Unsynced bytes survive a power cut in any subset of sectors; here any 16 bytes above the recovery point may be
  // lost.
  SeededRandom random;
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    Crashed c;
    const auto flushed = static_cast<int64_t>(random.below(41));
    c.partition.set_recovery_point(flushed);
    for (size_t segment = 0; segment < c.bases.size(); ++segment) {
      const auto file = must(c.env.files.open(c.file(segment), OpenMode::write));
      const uint64_t size = c.size(segment);
      uint64_t safe = 0;
      BatchScanner scanner(*file);
      while (const auto batch = must(scanner.next(size))) {
        if (batch->header.end_offset().value <= flushed) safe = scanner.position();
      }
      for (auto hits = random.below(3); hits-- > 0 && safe < size;) {
        const uint64_t at = safe + random.below(size - safe);
        const std::string hole = random.one_in(2) ? std::string(16, '\0') : random.bytes(16);
        must(file->write_at(
            at, as_bytes(std::string_view(hole).substr(0, static_cast<size_t>(std::min<uint64_t>(16, size - at))))));
      }
      if (random.one_in(4)) must(file->truncate(safe + random.below(size - safe + 1)));
    }
    c.env.reboot();
    const auto log = c.partition.open();
    const int64_t end = log->current_state()->position().log_end.value;
    REQUIRE(end >= flushed);
    REQUIRE(end <= 40);
    REQUIRE(contents(*log) == numbers(0, end));
    REQUIRE(faults_of(*log) == "");
  }
}
