#include "core/log/transactions.h"

#include "core/format/producer_snapshot.h"
#include "core/log/compaction.h"
#include "core/log/segment_files.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"
#include "tests/support/transaction_script.h"

using namespace pg;

namespace {

struct Log {
  explicit Log(const std::string& script, const LogConfig& config = {})
      : partition(env, config), log(partition.open()), writer(*log) {
    writer.write(script);
  }

  Offset end() const { return log->current_state()->position().log_end; }
  // "a@3 b@5": who is in a transaction, and where it begins.
  std::string open() const {
    std::string text;
    for (const auto& each : must(open_transactions(*log, end()))) {
      text += (text.empty() ? "" : " ") + std::string(1, static_cast<char>('a' + each.producer_id)) + "@" +
              std::to_string(each.first_offset.value);
    }
    return text;
  }
  // How the transactions of all batches ended, from `from` on: "c" committed, "a" aborted, "?" open, "!" unknown, "."
  // none.
  std::string outcomes(int64_t from = 0, bool pass_damage = false) const {
    LogReader reader(*log, Offset(from));
    TransactionOutcomes transactions(*log, pass_damage);
    std::string text;
    for (;;) {
      const auto batch = reader.next(end());
      if (!batch) {
        REQUIRE(batch.error().code == Errc::corrupt);
        must(reader.skip_damage(end()));
        text += '#';
        continue;
      }
      if (!*batch) return text;
      text += outcome_of((*batch)->header, transactions);
    }
  }
  // As after a restart of the machine, or by another tool: nothing is known but what the files say.
  void forget_page() {
    log.reset();
    must(env.files.unlink(partition.page_file()));
    log = partition.open();
    writer.use(*log);
  }

  TestEnv env;
  TestPartition partition;
  std::unique_ptr<PartitionLog> log;
  TransactionScript writer;

 private:
  char outcome_of(const BatchHeader& header, TransactionOutcomes& transactions) const {
    if (!header.is_undecided()) return '.';
    const auto outcome = transactions.of(header.producer.id, header.base_offset, end());
    if (!outcome) {
      REQUIRE(outcome.error().code == Errc::corrupt);
      return '!';
    }
    if (!*outcome) return '?';
    return **outcome == TransactionOutcomes::Outcome::committed ? 'c' : 'a';
  }
};

}  // namespace

TEST_CASE("transactions: the next marker of the producer decides, whatever its epoch and wherever it is") {
  const struct {
    const char* script;
    const char* outcomes;
    const char* open;
  } rows[] = {
      {"x y", "..", ""},
      {"a+1 a+2 a!", "cc.", ""},
      {"a+1 a+2 a?", "aa.", ""},
      {"a+1 x a+2", "?.?", "a@0"},
      {"a+1 a! a+2 a? a+3 a! a+4", "c.a.c.?", "a@6"},
      {"a+1 b+2 a+3 b! x a?", "aca...", ""},
      {"a+1 b+2 c+3 b? c!", "?ac..", "a@0"},
      {"b+2 a+1 c+3 c!", "??c.", "b@0 a@1"},
      {"a+1 a^ a+2 a!", "a.c.", ""},         // fenced: the marker has the next epoch
      {"a! b? a+1 b+2 a!", "..c?.", "b@3"},  // markers without data
      {"a+1 / x / a+2 / a! /", "c.c.", ""},  // in later segments
      {"A+1 x A! B+2 B?", "c..a.", ""},      // compressed
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    Log l(row.script);
    CHECK(l.outcomes() == row.outcomes);
    CHECK(l.open() == row.open);
    CHECK(faults_of(*l.log) == "");
    for (int64_t from = 1; from < l.end().value; ++from)
      CHECK(l.outcomes(from) == std::string(row.outcomes).substr(static_cast<size_t>(from)));
    l.forget_page();
    CHECK(l.open() == row.open);
  }
}

TEST_CASE("transactions: the last stable offset is where the first open one begins, of what the log still has") {
  Log l("x a+1 y b+2 a! z");
  CHECK(must(last_stable_offset(*l.log, l.end())) == Offset(3));
  CHECK(must(last_stable_offset(*l.log, Offset(3))) == Offset(1));  // as it was then
  CHECK(must(readable_end(*l.log, Isolation::read_uncommitted)) == Offset(6));
  must(l.log->raise_log_start(Offset(4), l.env.soon()));
  CHECK(must(readable_end(*l.log, Isolation::read_committed)) == Offset(6));  // its records are deleted
  l.writer.write("b+3 w");
  CHECK(must(readable_end(*l.log, Isolation::read_committed)) == Offset(6));
  l.writer.write("b?");
  CHECK(must(readable_end(*l.log, Isolation::read_committed)) == l.end());
}

TEST_CASE("transactions: a segment that is taken over from elsewhere, without snapshots, is read once") {
  Log l("a+1 x / y b+2 b! / z / w");
  for (const auto& name : must(l.env.files.list(l.partition.directory()))) {
    if (name.ends_with(".snapshot")) must(l.env.files.unlink(l.partition.directory() + "/" + name));
  }
  l.forget_page();
  CHECK(l.open() == "a@0");
  // Later only the last segment is.
  l.partition.set_recovery_point(l.end().value);
  l.forget_page();
  CHECK(l.open() == "a@0");
  l.writer.write("a!");
  CHECK(l.open() == "");
  l.forget_page();
  CHECK(l.open() == "");
}

TEST_CASE("transactions: a snapshot that lies is not believed") {
  Log l("x y / z");
  ProducerEntry entry;
  entry.transaction_first_offset = 1;
  entry.last_offset = Offset(1);
  must(l.env.files.replace(names::segment(l.partition.directory(), Offset(2), names::SegmentFile::snapshot),
                           write_producer_snapshot({{0, entry}})));
  CHECK(l.open() == "");
}

TEST_CASE("transactions: a log without them is not read for them") {
  Log l("x y / z");
  const int64_t before = l.env.files.calls(Call::read);
  CHECK(must(last_stable_offset(*l.log, l.end())) == Offset(3));
  CHECK(l.env.files.calls(Call::read) == before);
}

TEST_CASE("transactions: nor is one with producer ids, unless a version made its page that did not look") {
  Log l("x y");
  must(l.log->append(TestBatch({"named"}).bytes(ProducerStamp::of(7, 0)), l.env.soon()));
  const int64_t before = l.env.files.calls(Call::read);
  CHECK(must(last_stable_offset(*l.log, l.end())) == Offset(3));
  CHECK(l.env.files.calls(Call::read) == before);
  l.writer.write("a+1");
  for (const uint32_t word :
       {uint32_t{StatePage::unknown}, uint32_t{StatePage::some}, StatePage::some ^ 0xffU, StatePage::some | 1U << 31}) {
    l.log->current_state()->page().transactional.store(word);
    CHECK(l.open() == "a@3");
  }
}

TEST_CASE("transactions: what damage may have swallowed is not guessed") {
  // The batches of one record have the same size, and so have markers.
  const std::string script = "a+1 b+2 b! a! a+3 a? c+4 c!";
  Log whole(script);
  const auto size_of = [&](int64_t offset) {
    LogReader reader(*whole.log, Offset(offset));
    const auto batch = must(reader.next(whole.end()));
    return std::pair(batch->position, batch->header.size_bytes());
  };
  for (int64_t damaged = 0; damaged < whole.end().value; ++damaged) {
    const auto [position, size] = size_of(damaged);
    const size_t follower = damaged + 1 < whole.end().value ? size_of(damaged + 1).second : 1;
    for (size_t at = 8; at < size; ++at) {
      if (at >= 12 && at < 16)
        continue;  // the leader epoch lies outside the CRC: the reader compares it with those before
      // A length that is damaged so that the batch ends where the next one does.
      const size_t length = size - kBatchPrefixBytes;
      const auto mask = static_cast<uint8_t>(at == 11 ? length ^ (length + follower) : 1);
      CAPTURE(damaged);
      CAPTURE(at);
      Log l(script);
      flip_bits(l.env.files, l.partition.log_file(0), position + at, mask);
      const std::string seen = l.outcomes(0, true);
      // Each batch that can be read has its true outcome, or none: only what has damage between it and its marker has
      // none.
      const std::string truth = "cc..a.c.";
      size_t offset = 0;
      for (const char c : seen) {
        if (c == '#') {
          offset = static_cast<size_t>(damaged) + 1;
          continue;
        }
        REQUIRE(offset < truth.size());
        CHECK((c == truth[offset] || c == '!'));
        ++offset;
      }
    }
  }
  Log l(script);
  flip_bits(l.env.files, l.partition.log_file(0), size_of(3).first + 21, 1);
  CHECK(l.outcomes(0, true) == "!c.#a.c.");
}

TEST_CASE(
    "transactions: compaction takes nothing that readers of committed records see, and no transaction's records") {
  LogConfig config;
  config.cleanup_compact = true;
  config.min_cleanable_dirty_ratio = 0;
  config.delete_retention_ms = 0;
  // All records have one key: each but the last plain one is superseded.
  Log l("1 2 a+3 a! / 4 b+5 / 6 b+7 / 8 / 9", config);
  const auto compact = [&] { must(compact_log(*l.log, 1'000'000, l.env.soon())); };
  compact();
  CHECK(contents(*l.log).find("1:2 ") != std::string::npos);  // the transaction of b is open from offset 5 on
  CHECK(contents(*l.log).find("4:4 ") != std::string::npos);
  CHECK(l.outcomes() == Log("1 2 a+3 a! / 4 b+5 / 6 b+7 / 8 / 9").outcomes());
  l.writer.write("b! c+0 c? 10 / 11");
  compact();
  std::string left;
  LogReader reader(*l.log, Offset(0));
  while (const auto batch = must(reader.next(l.end()))) {
    if (batch->header.record_count > 0)
      left += std::to_string(batch->header.base_offset.value) + (batch->header.is_transactional() ? "t " : " ");
  }
  CHECK(left == "2t 3t 5t 7t 10t 11t 12t 13 14 ");
  CHECK(l.open() == "");
}
