// When a log believes its state page: log_trust.cc, page_check.cc.
#include <fmt/format.h>

#include <thread>

#include "core/log/log_recovery.h"
#include "core/log/log_repair.h"
#include "tests/support/printing.h"
#include "tests/support/test_replica.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

// A partition whose page and files may be put back to how they were, as when a file system stops and the machine goes
// on.
struct Restored {
  explicit Restored(Machine machine = Machine::memory, const LogConfig& config = {})
      : env(machine), partition(env, config) {}

  std::string read(const std::string& path) { return must(env.files.read_all(path)); }
  void keep_page() { page = read(partition.page_file()); }
  void restore_page() { overwrite(env.files, partition.page_file(), page); }
  void add(std::string_view bytes) {
    const auto file = must(env.files.open(partition.log_file(), OpenMode::write));
    must(file->write_at(must(file->info()).size_bytes, as_bytes(bytes)));
  }
  // Another file takes the place of the first segment's.
  void replace_log(std::string_view content) {
    overwrite(env.files, partition.directory() + "/restored", content);
    must(env.files.rename(partition.directory() + "/restored", partition.log_file()));
  }
  bool is_rebuilt() { return env.notices().find("the state of 't-0' does not fit its files") != std::string::npos; }

  TestEnv env;
  TestPartition partition;
  std::string page;
};

// The bytes of a log with `count` numbered records, a batch each, of this epoch.
std::string log_of(int64_t count, int32_t epoch = 0, int64_t from = 0) {
  std::string text;
  for (int64_t i = from; i < from + count; ++i) {
    TestBatch batch({fmt::format("{}", i)});
    const MutableBytes bytes = batch.bytes();
    stamp_batch(bytes, Offset(i), LeaderEpoch(epoch));
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return text;
}

}  // namespace

TEST_CASE("log_trust: a page that is older than its log costs no record, whatever was written since") {
  for (const Machine machine : kEveryMachine) {
    for (const int64_t later : {1, 2, 7, 40}) {
      for (const bool flushed : {false, true}) {
        CAPTURE(later);
        CAPTURE(flushed);
        Restored r(machine, tiny_segments());
        append_numbers(*r.partition.open(), 0, 5);
        r.keep_page();
        append_numbers(*r.partition.open(), 5, later);
        if (flushed) must(r.partition.open()->flush(r.env.soon()));
        if (flushed) r.partition.set_recovery_point(5 + later);
        r.restore_page();
        const auto log = r.partition.open();
        CHECK(contents(*log) == numbers(0, 5 + later));
        CHECK(r.is_rebuilt() == (flushed || later > 1));  // one batch alone may be what a writer left that died
        append_numbers(*log, 5 + later, 2);
        CHECK(contents(*log) == numbers(0, 7 + later));
        CHECK(faults_of(*log) == "");
        CHECK(r.partition.files_ending("torn-1") == "");
      }
    }
  }
}

TEST_CASE("log_trust: a page from before the log rolled, which ended just there") {
  Restored r(Machine::memory, tiny_segments());
  int64_t end = 0;
  {
    const auto log = r.partition.open();
    while (must(list_segments(r.env.files, r.partition.directory())).size() < 2) {
      r.keep_page();
      append_numbers(*log, end++, 1);
    }
    append_numbers(*log, end, 4);
    end += 4;
  }
  r.restore_page();
  CHECK(contents(*r.partition.open()) == numbers(0, end));
  CHECK(r.is_rebuilt());
}

TEST_CASE("log_trust: a log that is copied over an empty one is found, by readers and by writers") {
  for (const Machine machine : kEveryMachine) {
    for (const int64_t records : {1, 2, 30}) {
      for (const int32_t epoch : {0, 7}) {
        for (const bool new_file : {false, true}) {
          for (const bool write_first : {false, true}) {
            CAPTURE(records);
            CAPTURE(epoch);
            CAPTURE(new_file);
            Restored r(machine);
            if (new_file)
              r.replace_log(log_of(records, epoch));
            else
              r.add(log_of(records, epoch));
            const auto log = r.partition.open();
            if (write_first) append(*log, {"next"});
            CHECK(contents(*log) == numbers(0, records) + (write_first ? fmt::format(" {}:next", records) : ""));
            CHECK(r.partition.files_ending("torn-1") == "");
            CHECK(faults_of(*log) == "");
          }
        }
      }
    }
  }
}

TEST_CASE("log_trust: a log that is copied beside an empty segment is found, by readers and by writers") {
  for (const Machine machine : kEveryMachine) {
    for (const bool write_first : {false, true}) {
      for (const auto opened_before : {0ms, 1ms, 1000ms}) {
        CAPTURE(write_first);
        CAPTURE(opened_before.count());
        Restored r(machine);
        r.env.manual_clock.advance(opened_before);
        r.partition.open();
        overwrite(r.env.files, r.partition.log_file(100), log_of(30, 0, 100));
        const auto log = r.partition.open();
        if (write_first) CHECK(append(*log, {"next"}) == Offset(130));
        CHECK(contents(*log, 100) == numbers(100, 130) + (write_first ? " 130:next" : ""));
      }
    }
  }
}

TEST_CASE("log_trust: a reader at work and an idle writer notice what is copied under them") {
  for (const Machine machine : kEveryMachine) {
    for (const bool new_file : {false, true}) {
      CAPTURE(new_file);
      Restored r(machine);
      const auto copy = [&](int64_t from) {
        if (new_file)
          r.replace_log(log_of(from + 4));
        else
          r.add(log_of(4, 0, from));
      };
      const auto log = r.partition.open();
      append_numbers(*log, 0, 2);
      LogReader reader(*log, Offset(0));
      while (must(reader.next(Offset(2)))) {
      }
      copy(2);
      if (machine == Machine::memory)
        r.env.manual_clock.advance(1s);
      else
        std::this_thread::sleep_for(150ms);
      must(log->state(r.env.soon()));
      std::string rest;
      while (const auto batch = must(reader.next(log->current_state()->high_watermark())))
        rest += fmt::format(" {}", batch->header.base_offset.value);
      CHECK(rest == " 2 3 4 5");
      copy(6);
      append(*log, {"next"});
      CHECK(contents(*log) == numbers(0, 10) + " 10:next");
    }
  }
}

TEST_CASE("log_trust: the whole batch of a writer that died before it published is kept, once") {
  Restored r;
  append_numbers(*r.partition.open(), 0, 2);
  r.add(log_of(1, 0, 2));
  SUBCASE("found by a reader") { CHECK(contents(*r.partition.open()) == numbers(0, 3)); }
  SUBCASE("found by a writer") {}
  append_numbers(*r.partition.open(), 3, 2);
  CHECK(contents(*r.partition.open()) == numbers(0, 5));
  CHECK(faults_of(*r.partition.open()) == "");
  CHECK_FALSE(r.is_rebuilt());
}

TEST_CASE("log_trust: a writer at work is left in peace") {
  Restored r;
  const auto log = r.partition.open();
  append_numbers(*log, 0, 2);
  const auto state = log->current_state();
  REQUIRE(must(state->locks().try_lock(lock_byte::kAppend, LockMode::exclusive)));
  r.add(log_of(2, 0, 2));  // more than any writer, but whoever holds the lock looks himself
  CHECK(contents(*r.partition.open()) == numbers(0, 2));
  CHECK(contents(*r.partition.open(Access::read_only)) == numbers(0, 2));
  CHECK_FALSE(r.is_rebuilt());
  state->locks().unlock(lock_byte::kAppend);
}

TEST_CASE("log_trust: what lies behind the end and does not fit is set aside and said, whole batches with it") {
  const std::string torn = log_of(1, 0, 2).substr(0, 50);
  struct Row {
    const char* name;
    std::string tail;
    int64_t end;
    bool is_kept;  // beside the log
  };
  const Row rows[] = {
      {"a torn write", torn, 2, false},
      {"a batch of an offset that another one has", log_of(1, 0, 1), 2, true},
      {"a batch behind a gap, which a log that was copied in may have", log_of(1, 0, 9), 10, false},
      {"a batch and a torn write", log_of(1, 0, 2) + log_of(1, 0, 3).substr(0, 50), 3, true},
      {"a batch of an offset that no log has", log_of(1, 0, (int64_t{1} << 62) + 1), 2, true},
      {"a torn write and a batch", torn + log_of(1, 0, 3), 2, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Restored r;
    append_numbers(*r.partition.open(), 0, 2);
    r.add(row.tail);
    const auto log = r.partition.open();
    CHECK(append(*log, {"next"}) == Offset(row.end));
    CHECK((r.partition.files_ending("torn-1") != "") == row.is_kept);
    CHECK((r.env.notices().find("kept what was cut off 't-0'") != std::string::npos) == row.is_kept);
  }
}

TEST_CASE("log_trust: a process that can only read sees what there is, and changes nothing") {
  Restored r;
  append_numbers(*r.partition.open(), 0, 2);
  r.add(log_of(5, 0, 2));
  const std::string before = r.read(r.partition.page_file());
  CHECK(contents(*r.partition.open(Access::read_only)) == numbers(0, 7));
  CHECK(r.read(r.partition.page_file()) == before);
}

TEST_CASE("log_trust: page and log put back together are known by the recovery point") {
  Restored r;
  append_numbers(*r.partition.open(), 0, 2);
  r.keep_page();
  const std::string log_before = r.read(r.partition.log_file());
  append_numbers(*r.partition.open(), 2, 3);
  r.partition.set_recovery_point(5);
  overwrite(r.env.files, r.partition.log_file(), log_before);
  r.restore_page();
  CHECK(contents(*r.partition.open()) == numbers(0, 2) + " !corrupt");
  CHECK(append(*r.partition.open(), {"next"}) == Offset(5));  // no offset gets another record
}

TEST_CASE("log_trust: another file of the same size is another file") {
  for (const Machine machine : kEveryMachine) {
    Restored r(machine);
    append_numbers(*r.partition.open(), 0, 3);
    r.replace_log(log_of(2) + log_of(1, 0, 2));
    r.partition.open();
    CHECK(r.is_rebuilt());
  }
}

TEST_CASE("log_trust: a roll removes no segment that has records, whatever the page says") {
  for (const bool marked : {false, true}) {
    Restored r(Machine::memory, tiny_segments());
    const auto log = r.partition.open();
    append_numbers(*log, 0, 5);
    overwrite(r.env.files, r.partition.log_file(5), log_of(3, 0, 5));
    if (marked) log->current_state()->page().rolling = 6;
    const auto rolled = log->roll_active(r.env.soon());
    CHECK(rolled.has_value() == marked);  // with the mark of a roll it is looked at before, and the page rebuilt
    must(log->state(r.env.soon()));
    CHECK(contents(*log) == numbers(0, 8));
    CHECK(r.is_rebuilt());
  }
}

TEST_CASE("log_trust: a replica whose page is older than its log is unclean, as after a power cut") {
  for (const int later : {1, 5}) {
    CAPTURE(later);
    TestEnv env;
    TestReplica replica(env, 1);
    replica.lead('a', {BrokerId(1)});
    replica.write("aaa");
    const std::string path = names::partition_state(replica.directory());
    const std::string page = must(env.files.read_all(path));
    for (int i = 0; i < later; ++i) replica.write("a");
    must(replica->flush(env.soon()));
    must(LogDirectory(env.env(), parent_path(replica.directory()))
             .raise_recovery_points({{{"t", PartitionId(0)}, Offset(3 + later)}}, env.soon()));
    replica.close();
    overwrite(env.files, path, page);
    replica.reopen();
    CHECK(replica.position().log_end == Offset(3 + later));
    CHECK(replica.page().unclean == 1);
    CHECK(replica.page().role == static_cast<uint32_t>(Role::follower));
  }
}

TEST_CASE("log_trust: a follower's batch that was not published is kept; what a cut was to take away is not") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.follow('b');
  replica.receive("aabb");
  const std::string log = names::segment(replica.directory(), Offset(0), names::SegmentFile::log);
  const std::string whole = must(env.files.read_all(log));
  must(replica->truncate_to(Offset(2), true, env.soon()));
  SUBCASE("a cut that was interrupted") {
    replica.page().cutting = 1;
    overwrite(env.files, log, whole);
    replica.close();
    replica.reopen();
    CHECK(replica.position().log_end == Offset(2));
    replica.follow('c');
    CHECK(replica.text() == "aa");
    CHECK(size_of(env.files, log) < whole.size());
    CHECK(replica.page().cutting == 0);
  }
  SUBCASE("a batch") {
    must(must(env.files.open(log, OpenMode::write))->write_at(0, as_bytes(whole.substr(0, whole.size() / 4 * 3))));
    replica.close();
    replica.reopen();
    CHECK(replica.position().log_end == Offset(3));
    CHECK(replica.page().unclean == 0);
  }
}

TEST_CASE("log_trust: a failed flush stays one for another boot and a rebuilt page, until it is repaired") {
  for (const bool reboots : {false, true}) {
    TestEnv env;
    TestPartition partition(env);
    {
      const auto log = partition.open();
      append_numbers(*log, 0, 3);
      env.files.arm({.kind = Call::sync, .sys_errno = EIO});
      REQUIRE_FALSE(log->flush(env.soon()).has_value());
    }
    if (reboots)
      env.reboot();
    else
      must(env.files.unlink(partition.page_file()));
    CHECK(code_of(try_append(*partition.open(), {"x"})) == Errc::io);
    CHECK(code_of(partition.open()->flush(env.soon())) == Errc::io);
    CHECK(contents(*partition.open()) == numbers(0, 3));
    must(repair_log(env.env(), partition.spec(), true, env.soon(), [](const RepairItem&) {}));
    CHECK(partition.files_ending("flush-failed") == "");
    append_numbers(*partition.open(), 3, 1);
    env.reboot();
    append_numbers(*partition.open(), 4, 1);
    CHECK(contents(*partition.open()) == numbers(0, 5));
  }
}

TEST_CASE("log_trust: a boot id that is not the kernel's is told from a restart, or nothing is rebuilt") {
  struct Row {
    bool before, after;  // whether it was, and is, the kernel's
    bool works;
  };
  for (const Row row :
       {Row{true, true, true}, Row{false, false, true}, Row{true, false, false}, Row{false, true, false}}) {
    TestEnv machine;
    TestPartition partition(machine);
    const auto open = [&](bool is_kernels) {
      Env env = machine.env();
      env.has_kernels_boot_id = [=] { return is_kernels; };
      return PartitionLog::open(env, partition.spec(), machine.soon());
    };
    must(machine.files.unlink(partition.page_file()));
    append_numbers(*must(open(row.before)), 0, 3);
    CHECK(open(row.after).has_value());  // of one boot id nobody has a doubt
    machine.reboot();
    const auto opened = open(row.after);
    CHECK(opened.has_value() == row.works);
    if (!opened) CHECK(opened.error().code == Errc::unsupported_version);
    if (!opened) CHECK(opened.error().path == partition.page_file());
  }
}
