// The producer of a named input: what it skips, what it sends, and when it refuses.
#include "core/local/named_input.h"

#include <algorithm>
#include <map>

#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

// An input: records with or without keys.
struct Line {
  std::optional<std::string> key = {};
  std::string value = {};
};
using Lines = std::vector<Line>;

Lines numbered(int from, int to) {
  Lines lines;
  for (int i = from; i < to; ++i) {
    lines.push_back(
        {i % 3 == 0 ? std::optional<std::string>("key" + std::to_string(i % 7)) : std::nullopt, std::to_string(i)});
  }
  return lines;
}

struct Outcome {
  Result<> result;
  int64_t written = 0, skipped = 0, gone = 0, missing = 0;
};

struct NamedHome : TestHome {
  using TestHome::TestHome;

  Result<std::unique_ptr<LocalProducer>> open(ProducerOptions options = {}) {
    if (!options.name) options.name = "input";
    options.batch_bytes = std::min<size_t>(options.batch_bytes, 300);
    return LocalProducer::open(*home, "t", std::move(options));
  }
  static Result<> send_all(LocalProducer& producer, const Lines& lines) {
    for (const auto& line : lines) {
      Record record;
      record.key = line.key;
      record.value = line.value;
      PG_CHECK(producer.send(record));
    }
    return {};
  }
  Outcome run(const Lines& lines, ProducerOptions options = {}) {
    Outcome outcome;
    const auto producer = open(std::move(options));
    if (!producer) {
      outcome.result = tl::unexpected(producer.error());
      return outcome;
    }
    const auto sent = send_all(**producer, lines);
    const auto closed = (*producer)->close(sent.has_value());
    outcome.result = !sent ? sent : closed;
    outcome.written = (*producer)->records_written();
    outcome.skipped = (*producer)->input()->skipped;
    outcome.gone = (*producer)->input()->gone;
    outcome.missing = (*producer)->input()->missing;
    return outcome;
  }
  // A process that was killed after so many lines: batches that were full are there, others are not.
  void run_killed(const Lines& lines, size_t count) {
    const auto producer = must(open({.flush = FlushMode::never}));
    must(send_all(*producer, {lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count)}));
  }
  // Every value of the topic, sorted by number.
  std::vector<int> values() {
    std::vector<int> all;
    const auto reader = consumer({.topics = {"t"}});
    while (const auto record = must(reader->next_record()))
      all.push_back(std::stoi(std::string(record->value.value_or("-1"))));
    std::sort(all.begin(), all.end());
    return all;
  }
  void check_holds(int count) {
    std::vector<int> wanted;
    for (int i = 0; i < count; ++i) wanted.push_back(i);
    CHECK(values() == wanted);
    for (size_t p = 0; p < must(home->describe_topic("t")).partitions.size(); ++p)
      CHECK(faults_of(*log("t", static_cast<int32_t>(p))) == "");
  }
};

constexpr int32_t kPartitionCounts[] = {1, 5};

}  // namespace

TEST_CASE("named_input: the same input again adds nothing, a grown one adds what is new") {
  for (const int32_t partitions : kPartitionCounts) {
    NamedHome t;
    t.create("t", partitions);
    Outcome outcome = t.run(numbered(0, 100));
    must(outcome.result);
    CHECK(outcome.written == 100);
    CHECK(outcome.skipped == 0);
    outcome = t.run(numbered(0, 100));
    must(outcome.result);
    CHECK(outcome.written == 0);
    CHECK(outcome.skipped == 100);
    outcome = t.run(numbered(0, 130));
    must(outcome.result);
    CHECK(outcome.written == 30);
    CHECK(outcome.skipped == 100);
    CHECK(outcome.missing == 0);
    t.check_holds(130);
  }
}

TEST_CASE("named_input: a shorter input is there already, and that is said") {
  NamedHome t;
  t.create("t", 5);
  must(t.run(numbered(0, 100)).result);
  const Outcome outcome = t.run(numbered(0, 60));
  must(outcome.result);
  CHECK(outcome.skipped == 60);
  CHECK(outcome.missing == 40);
  t.check_holds(100);
  CHECK(t.run(numbered(0, 100)).skipped == 100);
}

TEST_CASE("named_input: another input is refused at its first differing record, and nothing is written") {
  for (const int32_t partitions : kPartitionCounts) {
    for (const int changed : {0, 50, 99}) {
      for (const char* what : {"value", "key", "no key", "inserted", "removed"}) {
        CAPTURE(partitions);
        CAPTURE(changed);
        CAPTURE(what);
        NamedHome t;
        t.create("t", partitions);
        must(t.run(numbered(0, 100)).result);
        Lines lines = numbered(0, 120);
        const auto at = lines.begin() + changed;
        if (what == std::string("value")) at->value += "0";
        if (what == std::string("key")) at->key = at->key.value_or("") + "other";
        if (what == std::string("no key")) at->key = at->key ? std::nullopt : std::optional<std::string>("");
        if (what == std::string("inserted")) lines.insert(at, Line{"new", "-5"});
        if (what == std::string("removed")) lines.erase(at);
        auto producer = must(t.open());
        size_t line = 0;
        Result<> sent;
        for (; line < lines.size(); ++line) {
          sent = NamedHome::send_all(*producer, {lines[line]});
          if (!sent) break;
        }
        CHECK(code_of(sent) == Errc::conflict);
        // One that is missing is noticed when its partition is next written to.
        if (what == std::string("removed"))
          CHECK(line >= static_cast<size_t>(changed));
        else
          CHECK(line == static_cast<size_t>(changed));
        CHECK(code_of(NamedHome::send_all(*producer, {lines[0]})) == Errc::conflict);
        must(producer->close(false));
        CHECK(producer->records_written() == 0);
        producer.reset();  // lets go of the name
        t.check_holds(100);
        CHECK(t.run(numbered(0, 100)).skipped == 100);
      }
    }
  }
}

TEST_CASE("named_input: headers are compared, timestamps are not") {
  NamedHome t;
  const auto send = [&](const std::vector<Header>& headers, int64_t timestamp_ms) {
    const auto producer = must(t.open());
    const auto sent = producer->send({.value = "0", .headers = headers, .timestamp_ms = timestamp_ms});
    must(producer->close(sent.has_value()));
    return sent;
  };
  must(send({{"a", "1"}, {"b", std::nullopt}}, 1));
  must(send({{"a", "1"}, {"b", std::nullopt}}, 2));
  CHECK(code_of(send({{"b", std::nullopt}, {"a", "1"}}, 1)) == Errc::conflict);
  CHECK(code_of(send({{"a", "1"}, {"b", ""}}, 1)) == Errc::conflict);
  CHECK(code_of(send({{"a", "1"}}, 1)) == Errc::conflict);
  CHECK(code_of(send({}, 1)) == Errc::conflict);
  t.check_holds(1);
}

TEST_CASE("named_input: null is not empty") {
  NamedHome t;
  const auto send = [&](const Record& record) {
    const auto producer = must(t.open());
    const auto sent = producer->send(record);
    must(producer->close(sent.has_value()));
    return sent;
  };
  must(send({.key = std::nullopt, .value = std::nullopt}));
  must(send({.key = std::nullopt, .value = std::nullopt}));
  CHECK(code_of(send({.key = "", .value = std::nullopt})) == Errc::conflict);
  CHECK(code_of(send({.key = std::nullopt, .value = ""})) == Errc::conflict);
}

TEST_CASE("named_input: whatever a killed run left is completed") {
  SeededRandom random;
  for (const int32_t partitions : kPartitionCounts) {
    for (int round = 0; round < 20; ++round) {
      NamedHome t;
      t.create("t", partitions, {{"segment.bytes", "2000"}});
      const Lines lines = numbered(0, 200);
      const auto kills = random.next() % 4;
      for (uint64_t kill = 0; kill < kills; ++kill) {
        t.run_killed(lines, random.next() % (lines.size() + 1));
        t.produce("t", {"1000"}, static_cast<int32_t>(random.next() % static_cast<uint64_t>(partitions)));
      }
      const Outcome outcome = t.run(lines);
      must(outcome.result);
      CHECK(outcome.written + outcome.skipped == 200);
      auto values = t.values();
      values.resize(200);
      for (int i = 0; i < 200; ++i) REQUIRE(values[static_cast<size_t>(i)] == i);
      CHECK(t.run(lines).skipped == 200);
      for (int32_t p = 0; p < partitions; ++p) CHECK(faults_of(*t.log("t", p)) == "");
    }
  }
}

TEST_CASE("named_input: after a killed run, an input that lacks what is there and has more is refused") {
  NamedHome t;
  t.create("t", 2);
  {
    const auto producer = must(t.open({.flush = FlushMode::never}));  // only partition 0 gets its records
    for (int i = 0; i < 100; i += 2) must(producer->send({.value = std::to_string(i)}, PartitionId(0)));
  }
  const int64_t there = t.log("t", 0)->current_state()->position().log_end.value;
  REQUIRE(there > 5);
  const auto producer = must(t.open());
  must(producer->send({.value = "0"}, PartitionId(0)));
  must(producer->send({.value = "1"}, PartitionId(1)));
  must(producer->send_batches());
  CHECK(producer->records_written() == 0);
  CHECK(code_of(producer->close()) == Errc::conflict);
  CHECK(t.log("t", 1)->current_state()->position().log_end == Offset(0));
}

TEST_CASE("named_input: what is new is held back until all that is there was compared") {
  NamedHome t;
  t.create("t", 2);
  {
    const auto producer = must(t.open({.flush = FlushMode::never}));
    for (int i = 0; i < 100; ++i) must(producer->send({.value = std::to_string(i)}, PartitionId(0)));
  }
  const int64_t there = t.log("t", 0)->current_state()->position().log_end.value;
  const auto producer = must(t.open());
  for (int i = 0; i < 100; ++i) must(producer->send({.value = std::to_string(100 + i)}, PartitionId(1)));
  CHECK_FALSE(producer->linger_deadline());
  CHECK(t.log("t", 1)->current_state()->position().log_end == Offset(0));
  for (int i = 0; i < there; ++i) must(producer->send({.value = std::to_string(i)}, PartitionId(0)));
  CHECK(t.log("t", 1)->current_state()->position().log_end == Offset(100));
  for (auto i = static_cast<int>(there); i < 100; ++i)
    must(producer->send({.value = std::to_string(i)}, PartitionId(0)));
  must(producer->close());
  t.check_holds(200);
}

TEST_CASE(
    "named_input: an input with too many new records before those that are there is refused, and nothing of it is "
    "written") {
  NamedHome t;
  t.create("t", 2);
  {
    const auto producer = must(t.open({.flush = FlushMode::never}));
    for (int i = 0; i < 100; ++i) must(producer->send({.value = std::to_string(i)}, PartitionId(0)));
  }
  const Offset there = t.log("t", 0)->current_state()->position().log_end;
  const auto producer = must(t.open({.held_bytes_max = 1000}));
  Result<> sent;
  int taken = 0;
  for (; sent && taken < 1000; taken += sent.has_value()) sent = producer->send({.value = "new"}, PartitionId(1));
  CHECK(code_of(sent) == Errc::limit);
  CHECK(taken > 20);  // 1000 bytes have room for several batches of 300
  must(producer->close(false));
  CHECK(producer->records_written() == 0);
  CHECK(t.log("t", 0)->current_state()->position().log_end == there);
  CHECK(t.log("t", 1)->current_state()->position().log_end == Offset(0));
}

TEST_CASE(
    "named_input: a record that is too large counts neither for its partition nor for the place of the next ones") {
  NamedHome t;
  t.create("t", 2);
  const std::string large(static_cast<size_t>(2) << 20, 'x');
  const Lines lines = {{.value = "0"}, {.value = "1"}, {.value = "2"}, {.value = "3"}};
  {
    const auto producer = must(t.open());
    must(t.send_all(*producer, {lines.begin(), lines.begin() + 2}));
    CHECK(code_of(producer->send({.value = large})) == Errc::limit);
    must(t.send_all(*producer, {lines.begin() + 2, lines.end()}));
    must(producer->close());
  }
  const auto again = t.run(lines);
  must(again.result);
  CHECK(again.skipped == 4);
  CHECK(again.written == 0);
  CHECK(t.values() == std::vector{0, 1, 2, 3});
}

TEST_CASE("named_input: a second process with the name is told who has it") {
  NamedHome t;
  t.create("t", 1);
  const auto first = must(t.open());
  const Error error = error_of(t.open());
  CHECK(error.code == Errc::busy);
  CHECK(error.what.find(std::to_string(t.env.env().process().pid)) != std::string::npos);
  must(t.open({.name = "another"}));
  must(first->send({.value = "0"}));
  must(first->close());
}

TEST_CASE("named_input: a name belongs to one topic, and to one with its number of partitions") {
  NamedHome t;
  t.create("t", 2);
  must(t.run(numbered(0, 20)).result);
  const auto other = t.producer("u", {.name = "input"});
  must(other->send({.value = "different"}));
  must(other->close());
  must(t.home->delete_topic("t", t.env.soon()));
  t.create("t", 2);  // another topic of that name: nothing is there
  CHECK(t.run(numbered(0, 20)).written == 20);
  t.check_holds(20);
}

TEST_CASE("named_input: names may be any bytes") {
  NamedHome t;
  std::string all;
  for (int c = 0; c < 255; ++c) all += static_cast<char>(c);
  for (const std::string& name : {std::string("/"), std::string("..", 2), std::string(1, '\0'), all}) {
    must(t.open({.name = name}));
  }
  CHECK(code_of(t.open({.name = ""})) == Errc::invalid_argument);
  CHECK(code_of(t.open({.name = std::string(256, 'x')})) == Errc::invalid_argument);
}

TEST_CASE("named_input: records that are gone are skipped by their number") {
  NamedHome t;
  t.create("t", 1, {{"segment.bytes", "1024"}});
  must(t.run(numbered(0, 300)).result);
  const auto log = t.log("t");
  const auto bases = must(list_segments(t.env.files, log->directory()));
  REQUIRE(bases.size() > 3);
  must(remove_segment(t.env.files, log->directory(), bases[0]));
  must(remove_segment(t.env.files, log->directory(), bases[1]));
  const Outcome outcome = t.run(numbered(0, 310));
  must(outcome.result);
  CHECK(outcome.skipped == 300);
  CHECK(outcome.gone == bases[2].value);
  CHECK(outcome.written == 10);
}

TEST_CASE("named_input: exit on stable storage says so of skipped records too") {
  NamedHome t;
  t.create("t", 1);
  t.run_killed(numbered(0, 100), 100);
  const auto log = t.log("t");
  CHECK(log->current_state()->page().flushed.load() == 0);
  const int64_t there = log->current_state()->position().log_end.value;
  REQUIRE(there > 0);
  const Outcome outcome = t.run(numbered(0, static_cast<int>(there)));
  must(outcome.result);
  CHECK(outcome.written == 0);
  CHECK(log->current_state()->page().flushed.load() == there);
}

TEST_CASE("named_input: whichever call fails, a retry makes it right") {
  const Lines lines = numbered(0, 40);
  for (const int32_t partitions : {1, 3}) {
    for (const bool for_ever : {false, true}) {
      for (int64_t nth = 1;; ++nth) {
        NamedHome t;
        t.create("t", partitions, {{"segment.bytes", "1024"}});
        t.run_killed(lines, 15);
        t.env.files.arm({.nth = nth, .sys_errno = ENOSPC, .prefix_bytes = 40, .for_ever = for_ever});
        const Outcome failed = t.run(lines);
        const bool fired = t.env.files.fired() > 0;
        t.env.files.disarm();
        const Outcome again = t.run(lines);
        if (!again.result && again.result.error().what.find("offline") != std::string::npos)
          continue;  // a failed flush
        CAPTURE(nth);
        must(again.result);
        CHECK(again.written + again.skipped == 40);
        if (failed.result) CHECK(again.written == 0);
        t.check_holds(40);
        if (!fired) {
          must(failed.result);
          break;
        }
        REQUIRE(nth < 5000);
      }
    }
  }
}
