#include "core/log/gaps.h"

#include <fmt/format.h>

#include <boost/crc.hpp>

#include "core/log/compaction.h"
#include "core/log/log_repair.h"
#include "core/log/replica_words.h"
#include "tests/support/batch_items.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

// A log of ten batches of one record each, in one segment or in several, with some of them cut out.
struct Gapped {
  explicit Gapped(const LogConfig& config = {}) : partition(env, config) {
    append_numbers(*partition.open(), 0, 10);
    bases = must(list_segments(env.files, partition.directory()));
  }
  std::string file_of(int64_t offset) { return partition.log_file(segment_of(bases, Offset(offset))->value); }
  uint64_t position_of(int64_t offset) {
    const auto file = must(env.files.open(file_of(offset), OpenMode::read));
    BatchScanner scanner(*file);
    for (;;) {
      const uint64_t at = scanner.position();
      if (must(scanner.next(must(file->info()).size_bytes))->header.base_offset == Offset(offset)) return at;
    }
  }
  void replace(const std::string& path, const std::string& content) { must(env.files.replace(path, content)); }
  void cut_out(int64_t offset) {
    const std::string path = file_of(offset), whole = must(env.files.read_all(path));
    const auto at = static_cast<size_t>(position_of(offset));
    const auto size = read_batch_header(as_bytes(whole).subspan(at)).size_bytes();
    replace(path, whole.substr(0, at) + whole.substr(at + size));
  }
  // What was copied in has the logs and nothing else beside them.
  void forget(bool checkpoints = true) {
    for (const auto& name : must(env.files.list(partition.directory()))) {
      const bool stays =
          name.ends_with(".log") || name == "partition.metadata" || (name == "leader-epoch-checkpoint" && !checkpoints);
      if (!stays) must(env.files.unlink(partition.directory() + "/" + name));
    }
    if (!checkpoints) return;
    for (const auto& path : {names::recovery_checkpoint(env.root()), names::gap_checkpoint(env.root())})
      (void)env.files.unlink(path);
  }
  std::string logs() {
    std::string all;
    for (const Offset base : must(list_segments(env.files, partition.directory()))) {
      all += fmt::format("{}:{}\n", base.value, must(env.files.read_all(partition.log_file(base.value))));
    }
    return all;
  }
  std::string held() { return contents(*partition.open()); }

  TestEnv env;
  TestPartition partition;
  std::vector<Offset> bases;
};

LogConfig segments_of_three() {
  LogConfig config;
  config.segment_bytes = 220;
  config.index_interval_bytes = 60;
  return config;
}

std::string without(std::initializer_list<int64_t> missing, int64_t end = 10) {
  std::string text;
  for (int64_t n = 0; n < end; ++n) {
    if (std::find(missing.begin(), missing.end(), n) == missing.end())
      text += fmt::format("{}{}:{}", text.empty() ? "" : " ", n, n);
  }
  return text;
}

}  // namespace

TEST_CASE("gaps: a log that was copied in keeps its gaps, is read on behind them, and has no fault") {
  struct Row {
    const char* name;
    LogConfig config;
    std::initializer_list<int64_t> missing;
  };
  for (const Row& row :
       {Row{"in the middle", {}, {1}}, Row{"at the start", {}, {0, 1}}, Row{"several", {}, {2, 5, 6, 8}},
        Row{"a segment's last", segments_of_three(), {2}}, Row{"a segment's first", segments_of_three(), {3}},
        Row{"around a border", segments_of_three(), {2, 3}}, Row{"all of a segment", segments_of_three(), {3, 4, 5}}}) {
    CAPTURE(row.name);
    Gapped g(row.config);
    for (const int64_t offset : row.missing) g.cut_out(offset);
    g.forget();
    const std::string before = g.logs();
    {
      const auto view = g.partition.open(Access::read_only);
      CHECK(contents(*view) == without(row.missing));
      CHECK(faults_of(*view) == "");
      CHECK(g.partition.files_ending("partition.state") == "");
    }
    const auto log = g.partition.open();
    CHECK(contents(*log) == without(row.missing));
    CHECK(faults_of(*log) == "");
    for (int64_t from = 0; from < 10; ++from) {
      const std::string rest = contents(*log, from);
      CHECK(without(row.missing).ends_with(rest));
      CHECK(rest.starts_with(fmt::format("{}:", from)) ==
            (std::find(row.missing.begin(), row.missing.end(), from) == row.missing.end()));
    }
    CHECK(g.logs() == before);
    CHECK(append(*log, {"10"}) == Offset(10));
    must(log->flush(g.env.soon()));
    CHECK(contents(*log) == without(row.missing) + " 10:10");
  }
}

TEST_CASE("gaps: segments without a record, one behind the other, are passed") {
  Gapped log(segments_of_three());
  REQUIRE(log.bases == std::vector{Offset(0), Offset(3), Offset(6), Offset(9)});
  for (const int64_t base : {3, 6}) log.replace(log.partition.log_file(base), "");
  log.forget();
  CHECK(log.held() == without({3, 4, 5, 6, 7, 8}));
}

TEST_CASE("gaps: what was found once is known after a restart, and below the recovery point") {
  Gapped g;
  g.cut_out(4);
  g.forget();
  g.partition.open();
  g.partition.set_recovery_point(10);
  g.env.reboot();
  CHECK(g.held() == without({4}));
  must(g.env.files.unlink(g.partition.page_file()));
  CHECK(g.held() == without({4}));
  CHECK(faults_of(*g.partition.open()) == "");
}

TEST_CASE("gaps: below the recovery point of a log of our own a gap is damage, and every byte stays") {
  for (const int64_t missing : {int64_t{0}, int64_t{4}, int64_t{8}}) {
    CAPTURE(missing);
    Gapped g;
    g.partition.set_recovery_point(10);
    g.cut_out(missing);
    g.forget(false);
    const std::string before = must(g.env.files.read_all(g.partition.log_file()));
    CHECK(faults_of(*g.partition.open(Access::read_only)).find("are missing before this batch") != std::string::npos);
    CHECK(g.held() == (missing == 0 ? "" : numbers(0, missing) + " ") + "!corrupt");
    CHECK(must(g.env.files.read_all(g.partition.log_file())) == before);
    CHECK(append(*g.partition.open(), {"10"}) == Offset(10));

    const auto totals = must(repair_log(g.env.env(), g.partition.spec(), true, g.env.soon(), [](const RepairItem&) {}));
    CHECK(totals.lost_offsets == 1);
    CHECK(g.held() == without({missing}) + " 10:10");
    CHECK(faults_of(*g.partition.open()) == "");
  }
}

TEST_CASE("gaps: repair loses no batch behind one that is missing, though the page is trusted") {
  Gapped g;
  auto log = g.partition.open();
  const std::string path = g.partition.log_file(), whole = must(g.env.files.read_all(path));
  const auto from = static_cast<size_t>(g.position_of(3)), to = static_cast<size_t>(g.position_of(5));
  // In the same file, as an editor leaves it.
  const auto file = must(g.env.files.open(path, OpenMode::write));
  must(file->write_at(from, as_bytes(whole.substr(to))));
  must(file->truncate(whole.size() - (to - from)));
  log.reset();
  g.partition.set_recovery_point(10);
  const auto totals = must(repair_log(g.env.env(), g.partition.spec(), true, g.env.soon(), [](const RepairItem&) {}));
  CHECK(totals.lost_offsets == 2);
  CHECK(g.held() == without({3, 4}));
}

TEST_CASE("gaps: in a log that may have some, a base offset that what follows contradicts is damage") {
  for (const uint64_t byte : {uint64_t{1}, uint64_t{3}, uint64_t{5}, uint64_t{7}}) {
    for (const int64_t hurt : {int64_t{5}, int64_t{9}}) {
      CAPTURE(byte);
      CAPTURE(hurt);
      if (hurt == 9 && byte > 3) continue;  // nothing follows that could tell
      Gapped g;
      g.cut_out(1);
      g.forget();
      flip_bits(g.env.files, g.partition.log_file(), g.position_of(hurt) + byte, 0x40);
      const auto view = g.partition.open(Access::read_only);
      CHECK(contents(*view).starts_with(without({1}, hurt)));
      CHECK(contents(*view).find(fmt::format(":{}", hurt)) == std::string::npos);
    }
  }
}

TEST_CASE("gaps: a replica takes over the leader's") {
  Gapped g;
  g.cut_out(4);
  g.forget();
  const auto leader = g.partition.open();
  TestEnv other;
  TestPartition copy(other);
  auto log = copy.open();
  must(log->follow(LeaderEpoch(0), other.soon()));
  StatePage& page = log->current_state()->page();
  LogReader reader(*leader, Offset(0));
  for (bool allowed = false;;) {
    const auto batch = must(reader.next(Offset(10)));
    if (!batch) break;
    const Bytes bytes(batch->bytes.begin(), batch->bytes.end());
    if (batch->header.base_offset == Offset(5) && !allowed) {
      CHECK(code_of(log->append_replicated(bytes, LeaderEpoch(0), other.soon())) == Errc::conflict);
      raise(page.gaps_below, leader->current_state()->gaps().below.value);
    }
    must(log->append_replicated(bytes, LeaderEpoch(0), other.soon()));
  }
  CHECK(must(other.files.read_all(copy.log_file())) == must(g.env.files.read_all(g.partition.log_file())));
  copy.set_recovery_point(10);
  log.reset();
  must(other.files.unlink(copy.page_file()));
  CHECK(contents(*copy.open()) == without({4}));
}

TEST_CASE("gaps: epochs of a log that was copied in are those of its batches") {
  Gapped g;
  std::string whole = must(g.env.files.read_all(g.partition.log_file()));
  const auto bytes = std::as_writable_bytes(std::span(whole));
  for (int64_t n = 0; n < 10; ++n) stamp_batch(bytes.subspan(g.position_of(n)), Offset(n), LeaderEpoch(n < 5 ? 3 : 7));
  g.replace(g.partition.log_file(), whole);
  g.forget();
  g.replace(names::epoch_checkpoint(g.partition.directory()), "0\n1\n0 0\n");  // the new partition's
  CHECK(faults_of(*g.partition.open(Access::read_only)) == "");
  const auto log = g.partition.open();
  CHECK(contents(*log) == numbers(0, 10));
  CHECK(faults_of(*log) == "");
  CHECK(log->current_state()->leader_epoch() >= LeaderEpoch(7));
}

TEST_CASE("gaps: only between segments, after a restart, is one the end of a log that lost its tail") {
  Gapped g(segments_of_three());
  g.cut_out(2);
  g.env.reboot();
  const auto log = g.partition.open();
  CHECK(contents(*log) == numbers(0, 2));
  CHECK(g.partition.files_ending("torn-1") != "");
}

TEST_CASE("gaps: messages of formats 0 and 1 are named, and nothing is cut") {
  for (const int format : {0, 1}) {
    CAPTURE(format);
    Gapped g;
    g.forget();
    std::string body(1, static_cast<char>(format));
    body += std::string(format == 0 ? 1 : 9, '\0') + std::string(4, '\xff') + std::string("\0\0\0\5hello", 9);
    boost::crc_32_type crc;
    crc.process_bytes(body.data(), body.size());
    std::string message(16, '\0');
    const auto head = std::as_writable_bytes(std::span(message));
    store_big_endian(head.data(), int64_t{10});
    store_big_endian(head.data() + 8, static_cast<int32_t>(body.size() + 4));
    store_big_endian(head.data() + 12, static_cast<uint32_t>(crc.checksum()));
    message += body;
    const std::string path = g.partition.log_file(), whole = must(g.env.files.read_all(path)) + message;
    g.replace(path, whole);
    const auto opened = g.partition.try_open();
    REQUIRE(!opened);
    CHECK(opened.error().code == Errc::unsupported_version);
    CHECK(opened.error().what == fmt::format("message format {} is not supported", format));
    CHECK(faults_of(*g.partition.open(Access::read_only)).find(opened.error().what) != std::string::npos);
    CHECK(!repair_log(g.env.env(), g.partition.spec(), true, g.env.soon(), [](const RepairItem&) {}));
    CHECK(must(g.env.files.read_all(path)) == whole);

    std::string spoilt = whole;
    spoilt[whole.size() - 1] ^= 1;  // damage is damage
    g.replace(path, spoilt);
    CHECK(g.held() == numbers(0, 10));
  }
}

TEST_CASE("gaps: compaction leaves them") {
  LogConfig config = segments_of_three();
  config.cleanup_compact = true;
  Gapped g(config);
  g.cut_out(1);
  g.cut_out(5);
  g.forget();
  const auto log = g.partition.open();
  must(compact_log(*log, g.env.clock().wall_ms(), g.env.soon()));
  CHECK(contents(*log) == without({1, 5}));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("gaps: something else in the place of an index goes aside, and the index is made again") {
  Gapped g(segments_of_three());
  for (const Offset base : {g.bases.front(), g.bases.back()}) {
    for (const auto& path : {g.partition.offset_index(base.value), g.partition.time_index(base.value)}) {
      CAPTURE(path);
      const std::string before = must(g.env.files.read_all(path));
      must(g.env.files.unlink(path));
      must(g.env.files.make_directory(path));
      CHECK(g.held() == numbers(0, 10));
      must(g.env.files.unlink(g.partition.page_file()));
      CHECK(g.held() == numbers(0, 10));
      CHECK(hex(must(g.env.files.read_all(path))) == hex(before));
      CHECK(must(g.env.files.info(path + ".aside-1")).is_directory);
    }
  }
}

TEST_CASE("gaps: repair keeps every record that a reader finds behind damage") {
  // "3:3 7:7": what is read where damage is left out.
  const auto readable = [](PartitionLog& log) {
    std::vector<std::string> found;
    const Offset end = log.current_state()->position().log_end;
    Decompressor decompressor;
    for (LogReader reader(log, log.current_state()->position().log_start); reader.next_offset() < end;) {
      const auto batch = reader.next(end);
      if (!batch) {
        must(reader.skip_damage(end));
        continue;
      }
      if (!*batch) break;
      auto records = must(RecordCursor::begin((*batch)->bytes, (*batch)->header, decompressor));
      for (RecordView record; must(records.next(record));)
        found.push_back(fmt::format("{}:{}", record.offset.value, *record.value));
    }
    return found;
  };
  SeededRandom random;
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    const bool known = round % 2 == 0;  // to have no gaps
    Gapped g(round % 3 == 0 ? LogConfig{} : segments_of_three());
    if (known) g.partition.set_recovery_point(10);
    std::vector<int64_t> offsets{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const auto any = [&] {
      const auto at = offsets.begin() + static_cast<std::ptrdiff_t>(random.next() % offsets.size());
      const int64_t offset = *at;
      offsets.erase(at);
      return offset;
    };
    g.cut_out(any());
    if (random.next() % 2 == 0) g.cut_out(any());
    const int64_t hurt = any();
    const uint64_t at = g.position_of(hurt) + random.next() % 70;
    if (known) flip_bits(g.env.files, g.file_of(hurt), std::min(at, size_of(g.env.files, g.file_of(hurt)) - 1));
    g.forget(!known);
    auto log = g.partition.open();
    const auto before = readable(*log);
    log.reset();
    (void)must(repair_log(g.env.env(), g.partition.spec(), true, g.env.soon(), [](const RepairItem&) {}));
    log = g.partition.open();
    CHECK(faults_of(*log) == "");
    const std::string after = contents(*log) + " ";
    for (const auto& record : before)
      CHECK_MESSAGE(after.find(record + " ") != std::string::npos, record, " of ", after);
  }
}
