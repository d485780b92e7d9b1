// Consumers, tables and producers when a partition gets another leader.
#include <fmt/format.h>

#include "core/local/cluster_admin.h"
#include "core/local/consumer.h"
#include "core/local/producer.h"
#include "core/store/leader.h"
#include "core/store/log_table.h"
#include "tests/support/printing.h"
#include "tests/support/test_cluster.h"
#include "tests/support/test_home.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

struct Cluster : TestCluster {
  explicit Cluster(const ConfigMap& topic_config = {}) { create(topic_config); }

  void produce(const std::vector<std::string>& values, ProducerOptions options = {}) {
    options.batch_bytes = 1;
    const auto producer = must(LocalProducer::open(client(), topic_name(), std::move(options)));
    for (const auto& value : values) must(producer->send({.value = value}));
    must(producer->close());
  }
  std::unique_ptr<LocalConsumer> consumer(bool follow = false, Duration timeout = kTimeoutDefault) {
    return must(LocalConsumer::open(client(), {.topics = {topic_name()}, .follow = follow, .timeout = timeout}));
  }
  // The values that it has now, or within the time.
  static std::string rest(LocalConsumer& consumer, Deadline deadline) {
    std::string text;
    while (const auto record = must(consumer.next_record(deadline))) {
      text += fmt::format("{}{}:{}", text.empty() ? "" : " ", record->offset.value, record->value.value_or("null"));
    }
    return text;
  }
  std::string next(LocalConsumer& consumer) { return rest(consumer, env.clock().after(2s)); }
  // Broker 2 goes on, and the others are lost: a person has it lead, whatever it lacks.
  void lose_brokers() {
    for (const int32_t broker : {0, 1}) kill(broker);
    settle();
    for (const int32_t broker : {0, 1}) must(env.files.remove_tree(directory(broker)));
    thaw(2);
    settle();
    REQUIRE(must(elect_leader(client(), topic(), PartitionId(0), true, env.soon())));
    settle();
    REQUIRE(partition().leader == BrokerId(2));
  }
  std::string everything() { return rest(*consumer(), kNoDeadline); }
};

}  // namespace

TEST_CASE("consumer: follows a partition to its new leader, and goes on where it was") {
  Cluster cluster;
  cluster.produce({"a", "b"});
  const auto consumer = cluster.consumer(true);
  CHECK(cluster.next(*consumer) == "0:a 1:b");
  cluster.kill(0);
  cluster.produce({"c"});
  CHECK(cluster.partition().leader == BrokerId(1));
  CHECK(cluster.next(*consumer) == "2:c");
  cluster.kill(1);
  cluster.start(0);
  cluster.produce({"d"});
  CHECK(cluster.next(*consumer) == "3:d");
}

TEST_CASE("consumer: sees what is committed, and waits for what is not") {
  Cluster cluster;
  cluster.produce({"a"});
  const auto consumer = cluster.consumer(true);
  CHECK(cluster.next(*consumer) == "0:a");
  for (const int32_t broker : {1, 2}) {
    cluster.freeze(broker);
    cluster.health[BrokerId(broker)] = BrokerHealth::running;
  }
  cluster.produce({"b"}, {.acks = Acks::leader, .flush = FlushMode::never});
  CHECK(cluster.next(*consumer) == "");
  cluster.thaw(1);
  cluster.thaw(2);
  CHECK(cluster.next(*consumer) == "1:b");
}

TEST_CASE("consumer: an end that the new leader cannot name yet is waited for") {
  Cluster cluster;
  cluster.config.replica_lag_max = 60s;
  cluster.produce({"a", "b"});
  // It has led since a moment ago: what it knows is what it heard as a follower, and no follower has said how far it
  // is.
  cluster.freeze(2);
  cluster.health[BrokerId(2)] = BrokerHealth::running;
  cluster.kill(0);
  must(cluster.control());
  cluster.step(1);
  REQUIRE(cluster.partition().leader == BrokerId(1));
  const auto log = cluster.open(1);
  log->current_state()->page().high_watermark.store(0);
  int turns = 0;
  cluster.env.manual_clock.meanwhile([&] {
    if (++turns == 100) cluster.thaw(2);
    cluster.turn();
  });
  CHECK(cluster.everything() == "0:a 1:b");
  CHECK(turns >= 100);
}

TEST_CASE("consumer: one that reads to an end finds the rest at the new leader") {
  Cluster cluster;
  cluster.produce({"a", "b", "c"});
  const auto consumer = cluster.consumer();
  REQUIRE(must(consumer->next_record())->value == "a");
  must(cluster.env.files.remove_tree(cluster.directory(0)));
  cluster.settle();
  CHECK(cluster.partition().leader == BrokerId(1));
  CHECK(Cluster::rest(*consumer, kNoDeadline) == "1:b 2:c");
}

TEST_CASE("consumer: goes back to where the records of its epoch end at a leader that lost some, and says so once") {
  Cluster cluster;
  cluster.produce({"a", "b"});
  const auto caught_up = cluster.consumer(true), idle = cluster.consumer(true);
  CHECK(cluster.next(*caught_up) == "0:a 1:b");
  cluster.freeze(2);
  cluster.settle();
  cluster.produce({"c", "d", "e"});
  CHECK(cluster.next(*caught_up) == "2:c 3:d 4:e");
  const auto at_end = must(LocalConsumer::open(
      cluster.client(), {.topics = {cluster.topic_name()}, .from = {Place::Kind::end}, .follow = true}));
  cluster.lose_brokers();
  SUBCASE("what is new does not reach its place") {
    cluster.produce({"v", "w"}, {.acks = Acks::leader});
    CHECK(cluster.next(*caught_up) == "2:v 3:w");
    CHECK(cluster.next(*at_end) == "2:v 3:w");
  }
  SUBCASE("what is new goes beyond its place before it looks") {
    cluster.produce({"v", "w", "x", "y", "z"}, {.acks = Acks::leader});
    CHECK(cluster.next(*caught_up) == "2:v 3:w 4:x 5:y 6:z");
    CHECK(cluster.next(*at_end) == "2:v 3:w 4:x 5:y 6:z");
  }
  const std::string lost =
      "'" + cluster.topic_name() +
      "-0' has lost 3 offsets that this reader has passed, 2 to 4, read in leader epoch 0: it goes on at 2";
  const std::string notices = cluster.env.notices();
  CAPTURE(notices);
  CHECK(notices.find(lost) != std::string::npos);
  CHECK(notices.find(lost) != notices.rfind(lost));  // each of the two
  CHECK(cluster.next(*caught_up) == "");
  // One that has not passed them has lost nothing.
  CHECK(cluster.next(*idle).starts_with("0:a 1:b 2:v 3:w"));
  CHECK(cluster.env.notices() == notices);
}

TEST_CASE("consumer: one that reads to an end that was lost ends where the log does") {
  Cluster cluster;
  cluster.produce({"a", "b"});
  cluster.freeze(2);
  cluster.settle();
  cluster.produce({"c", "d", "e"});
  const auto consumer = cluster.consumer();
  cluster.lose_brokers();
  CHECK(cluster.rest(*consumer, kNoDeadline) == "0:a 1:b");
  CHECK(cluster.env.notices().find("has lost offsets 2 to 4, which were there when reading began: it is read to 2") !=
        std::string::npos);
}

TEST_CASE("consumer: one that waits at the end survives that its leader's log is lost") {
  Cluster cluster;
  cluster.produce({"a"});
  const auto consumer = cluster.consumer(true);
  CHECK(cluster.next(*consumer) == "0:a");
  must(cluster.env.files.remove_tree(cluster.directory(0)));
  CHECK(cluster.next(*consumer) == "");
  cluster.produce({"b"});
  CHECK(cluster.next(*consumer) == "1:b");
}

TEST_CASE("consumer: what is damaged at the leader is read at another replica, which leads then") {
  Cluster cluster;
  cluster.produce({"a", "b", "c", "d"});
  const std::string log = cluster.directory(0) + "/00000000000000000000.log";
  flip_bits(cluster.env.files, log, 2 * size_of(cluster.env.files, log) / 4 + 70);
  CHECK(cluster.everything() == "0:a 1:b 2:c 3:d");
  CHECK(cluster.partition().leader == BrokerId(1));
  cluster.settle();
  CHECK(cluster.partition().in_sync.size() == 3);
  CHECK(faults_of(*cluster.open(0)) == "");
}

TEST_CASE("consumer: does not wait for ever for what nobody commits any more") {
  Cluster cluster;
  cluster.produce({"a", "b"});
  const auto consumer = cluster.consumer(false, 1s);
  for (const int32_t broker : {0, 1, 2}) cluster.kill(broker);
  for (const int32_t broker : {0, 1, 2}) must(cluster.env.files.remove_tree(cluster.directory(broker)));
  const auto read = consumer->next_record();
  CHECK_FALSE(read.has_value());
}

TEST_CASE("producer: a replicated topic gets each record once, whichever broker dies") {
  for (const FlushMode flush : {FlushMode::never, FlushMode::exit, FlushMode::batch}) {
    CAPTURE(static_cast<int>(flush));
    Cluster cluster;
    const auto producer =
        must(LocalProducer::open(cluster.client(), cluster.topic_name(), {.batch_bytes = 1, .flush = flush}));
    for (int i = 0; i < 6; ++i) {
      must(producer->send({.value = std::to_string(i)}));
      if (i == 1) cluster.kill(0);
      if (i == 3) cluster.start(0), cluster.settle(), cluster.kill(1);
    }
    must(producer->close());
    CHECK(producer->records_written() == 6);
    CHECK(cluster.everything() == numbers(0, 6));
  }
}

TEST_CASE("producer: reports each batch once, in the state that acks and flush ask for") {
  struct Row {
    Acks acks;
    FlushMode flush;
    const char* state;
  };
  for (const Row& row : {Row{Acks::none, FlushMode::never, "written"}, Row{Acks::leader, FlushMode::never, "written"},
                         Row{Acks::all, FlushMode::never, "committed"}, Row{Acks::all, FlushMode::exit, "flushed"},
                         Row{Acks::leader, FlushMode::batch, "flushed"}}) {
    Cluster cluster;
    std::string reports;
    ProducerOptions options{.batch_bytes = 1, .acks = row.acks, .flush = row.flush};
    options.report = [&](const BatchReport& report) -> Result<> {
      reports += fmt::format("{}+{} {};", report.base_offset.value, report.record_count, report.state);
      return {};
    };
    const auto producer = must(LocalProducer::open(cluster.client(), cluster.topic_name(), std::move(options)));
    must(producer->send({.value = "a"}));
    cluster.kill(0);
    must(producer->send({.value = "b"}));
    must(producer->close());
    CHECK(reports == fmt::format("0+1 {};1+1 {};", row.state, row.state));
  }
}

TEST_CASE("producer: one with a name goes on after an election, and after its own end") {
  Cluster cluster;
  const auto run = [&](const std::vector<std::string>& values, bool die) {
    const auto producer =
        must(LocalProducer::open(cluster.client(), cluster.topic_name(), {.batch_bytes = 1, .name = "input"}));
    for (const auto& value : values) {
      must(producer->send({.value = value}));
      if (std::exchange(die, false)) cluster.kill(cluster.partition().leader.value);
    }
    must(producer->close());
    for (const int32_t broker : {0, 1, 2}) {
      if (cluster.health[BrokerId(broker)] == BrokerHealth::dead) cluster.start(broker);
    }
    cluster.settle();
  };
  run({"a", "b"}, true);
  run({"a", "b", "c"}, true);
  run({"a", "b", "c", "d"}, false);
  CHECK(cluster.everything() == "0:a 1:b 2:c 3:d");
}

TEST_CASE("producer: one that timed out does not wait once more when it closes") {
  Cluster cluster;
  const auto producer = must(LocalProducer::open(cluster.client(), cluster.topic_name(),
                                                 {.batch_bytes = 1, .timeout = 1s, .flush = FlushMode::batch}));
  for (const int32_t broker : {1, 2}) {
    cluster.freeze(broker);
    cluster.health[BrokerId(broker)] = BrokerHealth::running;
  }
  const Deadline began = cluster.env.clock().now();
  must(producer->send({.value = "a"}));
  CHECK(code_of(producer->send({.value = "b"})) == Errc::timed_out);
  const Deadline waited = cluster.env.clock().now();
  CHECK(waited - began >= 1s);
  CHECK(code_of(producer->close()) == Errc::timed_out);
  CHECK(cluster.env.clock().now() - waited < 1s);
}

TEST_CASE("producer: what one with a name finds from earlier runs is committed before it is counted") {
  Cluster cluster;
  const auto run = [&](const std::vector<std::string>& values) -> Result<> {
    PG_ASSIGN(const auto producer, LocalProducer::open(cluster.client(), cluster.topic_name(),
                                                       {.batch_bytes = 1, .timeout = 1s, .name = "input"}));
    for (const auto& value : values) PG_CHECK(producer->send({.value = value}));
    return producer->close();
  };
  must(run({"a"}));
  for (const int32_t broker : {1, 2}) {
    cluster.freeze(broker);
    cluster.health[BrokerId(broker)] = BrokerHealth::running;
  }
  CHECK(code_of(run({"a", "b"})) == Errc::timed_out);
  // An election may still take "b" back: it does not count as written.
  CHECK(code_of(LocalProducer::open(cluster.client(), cluster.topic_name(), {.timeout = 1s, .name = "input"})) ==
        Errc::timed_out);
  for (const int32_t broker : {1, 2}) cluster.thaw(broker);
  must(run({"a", "b", "c"}));
  CHECK(cluster.everything() == "0:a 1:b 2:c");
}

TEST_CASE("log_table: a row that was changed is changed once, and is there at every later leader") {
  Cluster cluster(ConfigMap{{"cleanup.policy", "compact"}});
  auto table = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  const auto add = [&](LogTable& to) {
    return must(to.change(
        "count",
        [](const std::optional<std::string>& now) -> Result<std::optional<std::string>> {
          return std::to_string(std::stoi(now.value_or("0")) + 1);
        },
        cluster.env.soon()));
  };
  for (int i = 1; i <= 9; ++i) {
    const int32_t leader = cluster.partition().leader.value;
    cluster.kill(leader);
    if (i % 3 == 0) cluster.settle();
    if (i % 3 == 1) must(cluster.control());
    CHECK(add(table) == std::to_string(i));
    cluster.start(leader);
    cluster.settle();
  }
  auto other = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  std::string rows;
  must(other.catch_up(
      [&](std::string_view, std::optional<std::string_view> value) -> Result<> {
        rows += std::string(*value) + " ";
        return {};
      },
      [] {}, cluster.env.soon()));
  CHECK(rows == "1 2 3 4 5 6 7 8 9 ");
}

TEST_CASE("log_table: what nobody has but a dead leader is seen by nobody") {
  Cluster cluster(ConfigMap{{"cleanup.policy", "compact"}});
  auto table = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  for (const int32_t broker : {1, 2}) {
    cluster.freeze(broker);
    cluster.health[BrokerId(broker)] = BrokerHealth::running;
  }
  std::string seen;
  const auto visit = [&](std::string_view key, std::optional<std::string_view> value) -> Result<> {
    seen += fmt::format("{}={} ", key, value.value_or("null"));
    return {};
  };
  must(table.catch_up(
      visit, [] {}, cluster.env.soon()));
  CHECK(code_of(table.append({{"key", "value"}}, cluster.env.clock().after(1s))) == Errc::timed_out);
  auto other = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  CHECK(code_of(other.catch_up(
            visit, [] {}, cluster.env.clock().after(1s))) == Errc::timed_out);
  CHECK(seen == "");
  cluster.thaw(1);
  cluster.thaw(2);
  must(other.catch_up(
      visit, [] {}, cluster.env.soon()));
  CHECK(seen == "key=value ");
}

TEST_CASE("log_table: a process that has read rows which an election has lost forgets them") {
  Cluster cluster(ConfigMap{{"cleanup.policy", "compact"}});
  auto table = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  std::map<std::string, std::string> rows;
  int forgotten = 0;
  const auto catch_up = [&] {
    const auto visit = [&](std::string_view key, std::optional<std::string_view> value) -> Result<> {
      rows[std::string(key)] = value.value_or("null");
      return {};
    };
    const auto forget = [&] {
      rows.clear();
      ++forgotten;
    };
    must(table.catch_up(visit, forget, cluster.env.soon()));
  };
  const auto add = [&](LogTable& to, const char* key) {
    must(to.change(
        key, [](const auto&) -> Result<std::optional<std::string>> { return "value"; }, cluster.env.soon()));
  };
  auto other = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  add(other, "a");
  catch_up();
  cluster.freeze(2);
  cluster.settle();
  add(other, "b");
  catch_up();
  CHECK(rows.size() == 2);
  cluster.lose_brokers();
  for (const int32_t broker : {0, 1}) cluster.start(broker);
  cluster.settle();
  for (const char* key : {"c", "d"}) add(other, key);
  catch_up();
  CHECK(rows == std::map<std::string, std::string>{{"a", "value"}, {"c", "value"}, {"d", "value"}});
  CHECK(forgotten == 1);
  catch_up();
  CHECK(forgotten == 1);
}

TEST_CASE("log_table: a damaged row is read at another replica, which leads then") {
  Cluster cluster(ConfigMap{{"cleanup.policy", "compact"}});
  auto table = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  std::string seen;
  const auto visit = [&](std::string_view key, std::optional<std::string_view>) -> Result<> {
    seen += key;
    return {};
  };
  for (const char* key : {"a", "b", "c", "d"}) {
    must(table.catch_up([](auto, auto) -> Result<> { return {}; }, [] {}, cluster.env.soon()));
    REQUIRE(must(table.append({{key, "value"}}, cluster.env.soon())));
  }
  const std::string log = cluster.directory(0) + "/00000000000000000000.log";
  flip_bits(cluster.env.files, log, 2 * size_of(cluster.env.files, log) / 4 + 70);
  auto other = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  must(other.catch_up(
      visit, [] {}, cluster.env.soon()));
  CHECK(seen == "abcd");
  CHECK(cluster.partition().leader == BrokerId(1));
  cluster.settle();
  CHECK(cluster.partition().in_sync.size() == 3);
  CHECK(faults_of(*cluster.open(0)) == "");
}

TEST_CASE("log_table: what its reader makes of a row is no damage of the log's") {
  Cluster cluster(ConfigMap{{"cleanup.policy", "compact"}});
  auto table = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  const auto refuse = [](std::string_view, std::optional<std::string_view>) -> Result<> {
    return fail(Errc::corrupt, "nonsense");
  };
  for (const char* key : {"a", "b"}) {
    must(table.catch_up([](auto, auto) -> Result<> { return {}; }, [] {}, cluster.env.soon()));
    REQUIRE(must(table.append({{key, "value"}}, cluster.env.soon())));
  }
  auto other = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  const auto refused = other.catch_up(
      refuse, [] {}, cluster.env.soon());
  REQUIRE(code_of(refused) == Errc::corrupt);
  CHECK(refused.error().what == "nonsense");
  cluster.settle();
  CHECK(cluster.status() == "leader 0 epoch 0 isr 0,1,2");
}

TEST_CASE("log_table: an error of the leader's disk that no broker notices comes back") {
  Cluster cluster(ConfigMap{{"cleanup.policy", "compact"}});
  auto table = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  must(table.catch_up([](auto, auto) -> Result<> { return {}; }, [] {}, cluster.env.soon()));
  const Deadline began = cluster.env.clock().now();
  cluster.env.files.arm({.kind = Call::write, .sys_errno = EIO, .for_ever = true});
  const auto changed = table.change(
      "key", [](const auto&) -> Result<std::optional<std::string>> { return "value"; }, cluster.env.clock().after(60s));
  cluster.env.files.disarm();
  REQUIRE(code_of(changed) == Errc::io);
  CHECK(cluster.env.clock().now() - began < 5s);
}

TEST_CASE("log_table: a leader that changes again and again is no reason to take the caller for replaced") {
  Cluster cluster(ConfigMap{{"cleanup.policy", "compact"}});
  auto table = must(LogTable::open(cluster.client(), cluster.topic_name(), cluster.env.soon()));
  must(table.catch_up([](auto, auto) -> Result<> { return {}; }, [] {}, cluster.env.soon()));
  cluster.open(0)->current_state()->page().fenced = 1;
  const auto appended = table.append({{"key", "value"}}, cluster.env.clock().now());
  REQUIRE(code_of(appended) == Errc::timed_out);
  CHECK(appended.error().what.find("no leader stayed long enough") == 0);
}

TEST_CASE("open_leader: waits for an election, and says who should lead if there is none") {
  Cluster cluster;
  TopicMetadata topic = cluster.topic();
  cluster.kill(0);
  const auto log = must(open_leader(cluster.client(), topic, PartitionId(0), cluster.env.soon()));
  CHECK(topic.partitions[0].leader == BrokerId(1));
  CHECK(log->spec().log_directory == cluster.log_directory(1));
  for (const int32_t broker : {1, 2}) cluster.kill(broker);
  const auto none = open_leader(cluster.client(), topic, PartitionId(0), cluster.env.clock().after(1s));
  REQUIRE(code_of(none) == Errc::not_leader);
  CHECK(none.error().what.find("broker 1 does not run") != std::string::npos);
  must(cluster.client().delete_topic(cluster.topic_name(), cluster.env.soon()));
  CHECK(code_of(open_leader(cluster.client(), topic, PartitionId(0), cluster.env.soon())) == Errc::not_found);
}

TEST_CASE("open_leader, open_committed: the metadata is read again only where there is a newer version") {
  Cluster cluster;
  const auto opened = [&](const auto& open, int32_t leader) {  // files
    const int64_t before = cluster.env.files.calls(Call::open);
    const auto log = must(open());
    CHECK(log->spec().log_directory == cluster.log_directory(leader));
    return cluster.env.files.calls(Call::open) - before;
  };
  TopicMetadata topic = cluster.topic();
  const auto alone = [&] {
    return cluster.client().open_partition(topic, PartitionId(0), Access::read_write, cluster.env.soon());
  };
  const auto to_write = [&] { return open_leader(cluster.client(), topic, PartitionId(0), cluster.env.soon()); };
  const auto to_read = [&] { return open_committed(cluster.client(), topic, PartitionId(0), cluster.env.soon()); };
  const int64_t files = opened(alone, 0);
  CHECK(opened(to_write, 0) == files);
  CHECK(opened(to_read, 0) == files);

  cluster.kill(0);
  cluster.settle();
  CHECK(opened(to_read, 1) == files + 1);
  CHECK(opened(to_write, 1) == files + 1);  // and `topic` is what it is now
  CHECK(opened(to_read, 1) == files);

  must(cluster.client().delete_topic(cluster.topic_name(), cluster.env.soon()));
  CHECK(code_of(to_read()) == Errc::not_found);
}
