// What consumers are given of transactions.
#include <fmt/format.h>

#include "core/local/newest_records.h"
#include "core/local/transaction_admin.h"
#include "core/store/leader.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"
#include "tests/support/test_cluster.h"
#include "tests/support/test_home.h"
#include "tests/support/test_log.h"
#include "tests/support/transaction_script.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

using Kind = Place::Kind;

struct Topic {
  explicit Topic(const std::string& script, const ConfigMap& config = {}) {
    t.create("t", 1, config);
    log = t.log("t");
    writer.emplace(*log, t.env.clock().wall_ms());
    writer->write(script);
  }
  static std::string short_value(const ConsumedRecord& record) {
    return std::string(record.value->substr(0, record.value->find('.')));
  }
  // The values of what is read: "1 2 3".
  std::string read(ConsumerOptions options = {.topics = {"t"}}) {
    const auto consumer = t.consumer(std::move(options));
    return values(*consumer);
  }
  static std::string values(LocalConsumer& consumer, Deadline deadline = kNoDeadline) {
    std::string text;
    while (const auto record = must(consumer.next_record(deadline))) {
      text += (text.empty() ? "" : " ") + short_value(*record);
    }
    return text;
  }
  std::string from(int64_t offset) { return read({.topics = {"t"}, .from = {Kind::offset, offset}}); }
  std::string last(int64_t count) {
    std::string text;
    for (const auto& record : must(read_newest(*t.home, {.topics = {"t"}}, count)))
      text += (text.empty() ? "" : " ") + short_value(record.view());
    return text;
  }

  TestHome t;
  std::unique_ptr<PartitionLog> log;
  std::optional<TransactionScript> writer;
};

}  // namespace

TEST_CASE("consumer transactions: committed records are delivered in their order, aborted ones and markers never") {
  Topic topic("x a+1 b+2 a+3 y a! b? A+4 B+5 A? B! z");
  CHECK(topic.read() == "x 1 3 y 5 z");
  CHECK(topic.read({.topics = {"t"}, .isolation = Isolation::read_uncommitted}) == "x 1 2 3 y 4 5 z");
  CHECK(topic.t.env.notices() == "");
  CHECK(topic.last(3) == "y 5 z");
}

TEST_CASE("consumer transactions: reading may begin and end in the middle of one") {
  Topic topic("a+1 a+2 b+3 a? a+4 b+5 b! a! x");
  CHECK(topic.from(1) == "3 4 5 x");
  CHECK(topic.from(2) == "3 4 5 x");
  CHECK(topic.from(3) == "4 5 x");
  CHECK(topic.from(5) == "5 x");
  CHECK(topic.from(6) == "x");
  CHECK(topic.read({.topics = {"t"}, .from = {Kind::offset, 1}, .to = Place{Kind::offset, 5}}) == "3 4");
}

TEST_CASE("consumer transactions: of one whose beginning was deleted, the rest has its outcome") {
  Topic topic("a+1 b+2 a+3 b+4 c+5 b? a! c!");
  must(topic.log->raise_log_start(Offset(2), topic.t.env.soon()));
  CHECK(topic.read() == "3 5");
  must(topic.log->raise_log_start(Offset(5), topic.t.env.soon()));
  CHECK(topic.read() == "");  // markers only
  CHECK(topic.t.env.notices() == "");
}

TEST_CASE(
    "consumer transactions: an open one ends the reading with a notice, also for a consumer that begins behind it") {
  Topic topic("x a+1 y a+2 z");
  topic.t.env.manual_clock.set_wall_ms(topic.t.env.clock().wall_ms() + 10'860'000);
  const std::string notice =
      "'t-0' can be read up to offset 1 only, where a transaction has not ended: producer 0 (epoch 0) since offset 1, "
      "open for 3 h; "
      "if its producer cannot return, 'pg-topic repair --abort-transactions t' ends it\n";
  CHECK(topic.read() == "x");
  CHECK(topic.t.env.notices() == notice);
  for (int64_t from = 1; from <= 5; ++from) CHECK(topic.from(from) == "");
  CHECK(topic.read({.topics = {"t"}, .from = {Kind::before_end, 1}}) == "x");
  CHECK(topic.read({.topics = {"t"}, .from = {Kind::end}}) == "");
  CHECK(topic.read({.topics = {"t"}, .isolation = Isolation::read_uncommitted}) == "x 1 y 2 z");
  topic.t.env.clear_notices();
  CHECK(topic.last(9) == "x");
  CHECK(topic.t.env.notices() == notice);
  topic.writer->write("a!");
  topic.t.env.clear_notices();
  CHECK(topic.read() == "x 1 y 2 z");
  CHECK(topic.last(2) == "2 z");
  CHECK(topic.t.env.notices() == "");
}

TEST_CASE("consumer transactions: a follower waits for the marker") {
  Topic topic("x a+1 y");
  const auto consumer = topic.t.consumer({.topics = {"t"}, .follow = true});
  const auto some = [&] { return Topic::values(*consumer, Deadline::min()); };
  CHECK(some() == "x");
  CHECK(some() == "");
  topic.writer->write("b+2 b! z");
  CHECK(some() == "");
  CHECK(topic.t.env.notices() == "");
  topic.writer->write("a? c+3");
  CHECK(some() == "y 2 z");
  CHECK(some() == "");
  topic.t.env.manual_clock.advance(11s);
  CHECK(some() == "");
  CHECK(topic.t.env.notices().find("producer 2 (epoch 0) since offset 7") != std::string::npos);
  topic.t.env.clear_notices();
  CHECK(some() == "");
  CHECK(topic.t.env.notices() == "");  // once
  topic.writer->write("c!");
  CHECK(some() == "3");
}

TEST_CASE("consumer transactions: a follower from the end waits where the open transaction begins") {
  Topic topic("x a+1 y");
  const auto consumer = topic.t.consumer({.topics = {"t"}, .from = {Kind::end}, .follow = true});
  CHECK(Topic::values(*consumer, Deadline::min()) == "");
  topic.writer->write("a!");
  CHECK(Topic::values(*consumer, Deadline::min()) == "1 y");
}

TEST_CASE("consumer transactions: whose outcome damage has swallowed is skipped with it, or ends the reading") {
  Topic topic("a+1 x a! y a+2 a? z");
  const uint64_t marker = [&] {
    LogReader reader(*topic.log, Offset(2));
    return must(reader.next(Offset(7)))->position;
  }();
  flip_bits(topic.t.env.files, topic.log->directory() + "/00000000000000000000.log", marker + 70, 1);
  const auto consumer = topic.t.consumer({.topics = {"t"}});
  for (int i = 0; i < 2; ++i) CHECK(code_of(consumer->next_record()) == Errc::corrupt);  // again and again
  std::string skipped;
  CHECK(topic.read({.topics = {"t"}, .skip_damage = [&](const SkippedDamage& damage) {
                      skipped += fmt::format("{}-{} ", damage.from.value, damage.to.value);
                    }}) == "x y z");
  CHECK(skipped == "0-1 2-3 ");
}

TEST_CASE("consumer transactions: many transactions, interleaved, over many segments, from everywhere") {
  SeededRandom random;
  for (int round = 0; round < 30; ++round) {
    std::string script;
    std::vector<std::pair<char, std::string>> written;  // who, and the value; by offset
    std::map<std::string, bool> counts;                 // values, and whether they do
    std::map<char, std::vector<std::string>> open;
    const auto end_transaction = [&](char who, bool commit) {
      script += fmt::format("{}{} ", who, commit ? '!' : random.one_in(3) ? '^' : '?');
      written.emplace_back(who, "");
      for (const auto& value : open[who]) counts[value] = commit;
      open[who].clear();
    };
    for (int i = 0; i < 60; ++i) {
      const char who = static_cast<char>('a' + random.below(4));
      const std::string value = fmt::format("v{}", i);
      if (random.one_in(10)) {
        script += "/ ";
      } else if (random.one_in(4)) {
        end_transaction(who, random.one_in(2));
      } else if (random.one_in(4)) {
        script += value + " ";
        written.emplace_back('-', value);
        counts[value] = true;
      } else {
        script += fmt::format("{}+{} ", who, value);
        written.emplace_back(who, value);
        open[who].push_back(value);
      }
    }
    for (char who = 'a'; who < 'e'; ++who) end_transaction(who, random.one_in(2));
    CAPTURE(script);
    Topic topic(script);
    for (size_t from = 0; from < written.size(); from += 1 + random.below(5)) {
      std::string expected;
      for (size_t at = from; at < written.size(); ++at) {
        if (written[at].second != "" && counts[written[at].second])
          expected += (expected.empty() ? "" : " ") + written[at].second;
      }
      REQUIRE(topic.from(static_cast<int64_t>(from)) == expected);
    }
  }
}

TEST_CASE(
    "consumer transactions: with several copies a following consumer waits on at the next leader, which gets the "
    "marker of an abort") {
  TestCluster cluster;
  cluster.create();
  const auto soon = [&] { return cluster.env.clock().after(2s); };
  {
    TopicMetadata topic = cluster.topic();
    const auto log = must(open_leader(cluster.client(), topic, PartitionId(0), soon()));
    TransactionScript(*log).write("x a+1 y");
  }
  cluster.settle();
  const auto consumer = must(LocalConsumer::open(cluster.client(), {.topics = {cluster.topic_name()}, .follow = true}));
  CHECK(Topic::values(*consumer, soon()) == "x");
  cluster.kill(0);
  CHECK(Topic::values(*consumer, soon()) == "");
  const auto open = must(list_open_transactions(cluster.client(), cluster.topic(), PartitionId(0), cluster.env.soon()));
  REQUIRE(open.size() == 1);
  CHECK(must(abort_transactions(cluster.client(), cluster.topic(), PartitionId(0), open, cluster.env.soon())) == 1);
  CHECK(cluster.partition().leader != BrokerId(0));
  CHECK(Topic::values(*consumer, soon()) == "y");
}

TEST_CASE("transaction_admin: an operator lists and aborts what is open, and only that") {
  Topic topic("x a+1 b+2 y a! b+3 c+4");
  const TopicMetadata metadata = must(topic.t.home->describe_topic("t"));
  auto open = must(list_open_transactions(*topic.t.home, metadata, PartitionId(0), topic.t.env.soon()));
  REQUIRE(open.size() == 2);
  CHECK(open[0].producer_id == 1);
  CHECK(open[0].first_offset == Offset(2));
  CHECK(open[1].producer_id == 2);
  topic.writer->write("c! c+5");  // it came back, and is in its next one
  CHECK(must(abort_transactions(*topic.t.home, metadata, PartitionId(0), open, topic.t.env.soon())) == 1);
  topic.writer->write("c!");
  CHECK(topic.read() == "x 1 y 4 5");
  CHECK(must(list_open_transactions(*topic.t.home, metadata, PartitionId(0), topic.t.env.soon())).empty());
  CHECK(faults_of(*topic.log) == "");
}
