#include "core/store/log_table.h"

#include <map>
#include <thread>

#include "tests/support/printing.h"
#include "tests/support/test_home.h"

using namespace pg;

namespace {

LogTable open_table(TestHome& t) { return must(LogTable::open(*t.home, "__rows", t.env.soon())); }

Result<std::optional<std::string>> try_add(LogTable& table, const std::string& key, Deadline deadline) {
  return table.change(
      key,
      [](const std::optional<std::string>& current) -> Result<std::optional<std::string>> {
        return current.value_or("") + "x";
      },
      deadline);
}

std::optional<std::string> row(LogTable& table, const std::string& key, Deadline deadline) {
  return must(table.change(
      key, [](const auto&) -> Result<std::optional<std::string>> { return std::nullopt; }, deadline));
}

}  // namespace

TEST_CASE("log_table: a row is what was last decided, for every handle") {
  TestHome t;
  LogTable one = open_table(t), other = open_table(t);
  CHECK_FALSE(row(one, "k", t.env.soon()));
  CHECK(must(try_add(one, "k", t.env.soon())) == "x");
  CHECK(must(try_add(other, "k", t.env.soon())) == "xx");
  CHECK(must(try_add(one, "other", t.env.soon())) == "x");
  CHECK(row(one, "k", t.env.soon()) == "xx");
  CHECK(row(other, "other", t.env.soon()) == "x");
  const auto deleter = t.producer("__rows");
  must(deleter->send({.key = "k", .value = {}}));
  must(deleter->close());
  CHECK_FALSE(row(one, "k", t.env.soon()));
}

TEST_CASE("log_table: what a decision was based on is on stable storage, also if only read") {
  TestHome t;
  LogTable table = open_table(t);
  must(try_add(table, "k", t.env.soon()));
  const auto log = t.log("__rows");
  CHECK(log->current_state()->page().flushed.load() == 1);
  const auto writer = t.producer("__rows", {.flush = FlushMode::never});
  must(writer->send({.key = "k", .value = "unflushed"}));
  must(writer->close());
  CHECK(log->current_state()->page().flushed.load() == 1);
  CHECK(row(table, "k", t.env.soon()) == "unflushed");
  CHECK(log->current_state()->page().flushed.load() == 2);
}

TEST_CASE("log_table: changes by many at once are all made, one after the other") {
  TestHome t(Machine::disk);
  constexpr int kThreads = 4, kChanges = 25;
  (void)open_table(t);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      LogTable table = open_table(t);
      for (int n = 0; n < kChanges; ++n) must(try_add(table, "k", t.env.soon()));
    });
  }
  for (auto& thread : threads) thread.join();
  LogTable table = open_table(t);
  CHECK(row(table, "k", t.env.soon()) == std::string(kThreads * kChanges, 'x'));
}

TEST_CASE("log_table: an error of the decision is returned, and nothing is changed") {
  TestHome t;
  LogTable table = open_table(t);
  must(try_add(table, "k", t.env.soon()));
  const auto refuse = [](const auto&) -> Result<std::optional<std::string>> { return fail(Errc::conflict, "no"); };
  CHECK(code_of(table.change("k", refuse, t.env.soon())) == Errc::conflict);
  CHECK(row(table, "k", t.env.soon()) == "x");
}

TEST_CASE("log_table: whichever call fails, the row is the old one or the new one") {
  for (int64_t nth = 1;; ++nth) {
    TestHome t;
    LogTable table = open_table(t);
    must(try_add(table, "k", t.env.soon()));
    t.env.files.arm({.nth = nth, .sys_errno = EIO, .prefix_bytes = 20});
    const auto changed = try_add(table, "k", t.env.soon());
    const bool fired = t.env.files.fired() > 0;
    t.env.files.disarm();
    LogTable again = open_table(t);
    const auto now = again.change(
        "k", [](const auto&) -> Result<std::optional<std::string>> { return std::nullopt; }, t.env.soon());
    if (now)
      CHECK((*now == "xx" || (!changed && *now == "x")));
    else
      CHECK(now.error().code == Errc::io);  // a failed sync takes the partition offline
    if (!fired) {
      CHECK(nth > 5);
      break;
    }
  }
}

namespace {

// The table as one who follows it sees it.
struct Follower {
  explicit Follower(TestHome& t) : table(open_table(t)) {}
  std::string rows(Deadline deadline) {
    must(table.catch_up(
        [this](std::string_view key, std::optional<std::string_view> value) -> Result<> {
          ++visited;
          found.erase(std::string(key));
          if (value) found.emplace(key, *value);
          return {};
        },
        [this] { found.clear(); }, deadline));
    std::string text;
    for (const auto& [key, value] : found) text += key + "=" + value + " ";
    return text;
  }
  LogTable table;
  std::map<std::string, std::string> found;
  int visited = 0;
};

}  // namespace

TEST_CASE("log_table: several rows change together, or not at all where somebody was first") {
  TestHome t;
  Follower one(t), other(t);
  CHECK(one.rows(t.env.soon()).empty());
  CHECK(other.rows(t.env.soon()).empty());
  CHECK(must(one.table.append({{"a", "1"}, {"b", "2"}}, t.env.soon())));
  CHECK_FALSE(must(other.table.append({{"a", "3"}, {"b", "4"}}, t.env.soon())));
  CHECK(other.rows(t.env.soon()) == "a=1 b=2 ");
  CHECK(must(other.table.append({{"a", std::nullopt}, {"c", "5"}}, t.env.soon())));
  CHECK(one.rows(t.env.soon()) == "b=2 c=5 ");
  CHECK(one.visited == 4);  // nothing twice
}

TEST_CASE("log_table: rows below the start of the log are not there, though the batch that holds them is") {
  TestHome t;
  Follower writer(t);
  writer.rows(t.env.soon());
  REQUIRE(must(writer.table.append({{"a", "1"}, {"b", "2"}, {"c", "3"}}, t.env.soon())));
  must(t.log("__rows")->raise_log_start(Offset(1), t.env.soon()));
  CHECK(Follower(t).rows(t.env.soon()) == "b=2 c=3 ");
}

TEST_CASE("log_table: reading it takes as long as it has rows, however often they changed") {
  TestHome t;
  Follower writer(t);
  constexpr int kChanges = 20'000;
  for (int i = 0; i < kChanges; ++i) {
    writer.rows(t.env.soon());
    REQUIRE(must(writer.table.append({{"row" + std::to_string(i % 10), std::to_string(i)}}, t.env.soon())));
  }
  Follower reader(t);
  CHECK(reader.rows(t.env.soon()) == writer.rows(t.env.soon()));
  CHECK(reader.found.at("row9") == "19999");
  CHECK(reader.visited < kChanges / 4);
}

TEST_CASE("log_table: reading goes on from a place, as long as it is that of this log and not compacted") {
  TestHome t;
  LogTable table = open_table(t);
  std::string seen;
  const LogTable::Visit visit = [&](std::string_view key, auto) -> Result<> {
    seen += key;
    return {};
  };
  CHECK_FALSE(must(table.place()));
  for (const char* key : {"a", "b"}) must(try_add(table, key, t.env.soon()));
  must(table.catch_up(
      visit, [] {}, t.env.soon()));
  const TablePlace place = *must(table.place());
  CHECK(place.next == Offset(2));
  must(try_add(table, "c", t.env.soon()));

  const auto resumed = [&](const TablePlace& from) {
    seen.clear();
    LogTable other = open_table(t);
    const bool is_there = other.resume(from, t.env.soon());
    if (!is_there) other.restart();
    must(other.catch_up(
        visit, [] {}, t.env.soon()));
    return is_there;
  };
  CHECK(resumed(place));
  CHECK(seen == "c");
  TablePlace wrong = place;
  wrong.crc ^= 1;
  CHECK_FALSE(resumed(wrong));
  CHECK(seen == "abc");
  wrong = place;
  wrong.leader_epoch = LeaderEpoch(7);
  CHECK_FALSE(resumed(wrong));
  wrong = place;
  wrong.topic[0] ^= 1;
  CHECK_FALSE(resumed(wrong));
  wrong = place;
  wrong.next = Offset(9);
  CHECK_FALSE(resumed(wrong));
  must(table.catch_up(
      visit, [] {}, t.env.soon()));
  REQUIRE(must(table.append({{"d", "1"}, {"e", "2"}}, t.env.soon())));
  must(table.catch_up(
      visit, [] {}, t.env.soon()));
  wrong = *must(table.place());
  CHECK(wrong.next == Offset(5));
  wrong.next = Offset(4);  // in the middle of the last batch
  CHECK_FALSE(resumed(wrong));

  LogTable waiting = open_table(t);
  must(waiting.catch_up(
      visit, [] {}, t.env.soon()));
  CHECK_FALSE(waiting.has_fallen_behind());
  must(t.log("__rows")->roll_active(t.env.soon()));
  CHECK_FALSE(waiting.has_fallen_behind());
  CHECK_FALSE(resumed(place));
  must(try_add(table, "d", t.env.soon()));
  must(t.log("__rows")->roll_active(t.env.soon()));
  CHECK(waiting.has_fallen_behind());
}
