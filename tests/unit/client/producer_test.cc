#include "core/local/producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/support/test_log.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

// How many batches a partition has.
int64_t batches_in(PartitionLog& log) {
  LogReader reader(log, Offset(0));
  int64_t count = 0;
  while (must(reader.next(log.current_state()->high_watermark()))) ++count;
  return count;
}

// The codecs of a partition's batches.
std::vector<int> codecs_in(PartitionLog& log) {
  LogReader reader(log, Offset(0));
  std::vector<int> codecs;
  while (const auto batch = must(reader.next(log.current_state()->high_watermark())))
    codecs.push_back(batch->header.codec());
  return codecs;
}

}  // namespace

TEST_CASE("producer: makes the topic with the first record that it can take, or refuses to") {
  TestHome t;
  CHECK(code_of(LocalProducer::open(*t.home, "t", {.create_topic = false})) == Errc::not_found);
  CHECK(code_of(LocalProducer::open(*t.home, "a/b", {})) == Errc::invalid_argument);
  std::string made;
  const auto producer =
      must(LocalProducer::open(*t.home, "t", {.topic_made = [&](const std::string& topic) { made += topic; }}));
  CHECK(code_of(producer->send({.value = "x"}, PartitionId(4))) == Errc::not_found);
  const std::string large(2'000'000, 'x');
  CHECK(code_of(producer->send({.value = large})) == Errc::limit);
  must(producer->close(false));
  CHECK(must(t.home->list_topics()).empty());
  CHECK(made == "");
  must(producer->send({.value = "x"}));
  CHECK(made == "t");
  CHECK(producer->partition_count() == 1);
  CHECK(must(t.home->list_topics()) == std::vector<std::string>{"t"});
  must(producer->send({.value = "y"}));
  must(producer->close());
  CHECK(t.read({.topics = {"t"}}) == "t-0@0=x t-0@1=y");
  t.create("three", 3);
  CHECK(t.producer("three", {.create_topic = false})->partition_count() == 3);
}

TEST_CASE(
    "producer: a whole input without records makes the topic, too, and one that somebody makes meanwhile is used as it "
    "is") {
  TestHome t;
  must(must(LocalProducer::open(*t.home, "empty", {}))->close());
  CHECK(must(t.home->list_topics()) == std::vector<std::string>{"empty"});
  const auto producer = must(LocalProducer::open(*t.home, "t", {}));
  t.create("t", 3);
  must(producer->send({.value = "x"}, PartitionId(2)));
  must(producer->close());
  CHECK(t.read({.topics = {"t"}}) == "t-2@0=x");
}

TEST_CASE("producer: nothing is written before a batch is full, sent or closed") {
  TestHome t;
  const auto producer = t.producer("t");
  const auto log = t.log("t");
  for (int i = 0; i < 3; ++i) must(producer->send({.value = std::to_string(i)}));
  CHECK(contents(*log) == "");
  CHECK(producer->records_written() == 0);
  must(producer->send_batches());
  CHECK(contents(*log) == numbers(0, 3));
  CHECK(producer->records_written() == 3);
  CHECK(batches_in(*log) == 1);
  must(producer->send_batches());  // nothing gathered, nothing sent
  must(producer->send({.value = "3"}));
  must(producer->close());
  CHECK(contents(*log) == numbers(0, 4));
  CHECK(batches_in(*log) == 2);
}

TEST_CASE("producer: a batch is sent before it grows beyond batch_bytes") {
  TestHome t;
  const auto producer = t.producer("t", {.batch_bytes = 500});
  const auto log = t.log("t");
  for (int i = 0; i < 100; ++i) must(producer->send({.value = std::string(20, 'x')}));
  must(producer->close());
  LogReader reader(*log, Offset(0));
  while (const auto batch = must(reader.next(Offset(100)))) {
    CHECK(batch->header.size_bytes() <= 500);
    if (batch->header.end_offset() < Offset(100)) CHECK(batch->header.size_bytes() > 460);
  }
}

TEST_CASE("producer: a record larger than batch_bytes goes alone") {
  TestHome t;
  const auto producer = t.producer("t", {.batch_bytes = 500});
  for (const size_t size : {size_t{10}, size_t{5000}, size_t{10}})
    must(producer->send({.value = std::string(size, 'x')}));
  must(producer->close());
  CHECK(batches_in(*t.log("t")) == 3);
}

TEST_CASE("producer: a record larger than the topic takes is refused, and concerns no other") {
  TestHome t;
  t.create("t", 1, {{"max.message.bytes", "1000"}});
  const auto producer = t.producer("t", {.batch_bytes = 1 << 20});
  must(producer->send({.value = "before"}));
  const Error error = error_of(producer->send({.value = std::string(1000, 'x')}));
  CHECK(error.code == Errc::limit);
  CHECK(error.what.find("max.message.bytes=1000") != std::string::npos);
  must(producer->send({.value = "after"}));
  must(producer->close());
  CHECK(contents(*t.log("t")) == "0:before 1:after");
  CHECK(producer->records_written() == 2);
  // A batch that is exactly as large as the topic allows.
  const auto exact = t.producer("t", {.batch_bytes = 1 << 20});
  const size_t overhead = TestBatch({std::string(500, 'x')}).bytes().size() - 500;
  must(exact->send({.value = std::string(1000 - overhead, 'x')}));
  CHECK(code_of(exact->send({.value = std::string(1001 - overhead, 'x')})) == Errc::limit);
  must(exact->close());
}

TEST_CASE("producer: a compacted topic takes no record without a key") {
  TestHome t;
  t.create("t", 1, {{"cleanup.policy", "compact"}});
  const auto producer = t.producer("t");
  const Error error = error_of(producer->send({.value = "no key"}));
  CHECK(error.code == Errc::invalid_argument);
  CHECK(error.what.find("a record needs a key") != std::string::npos);
  must(producer->send({.key = "k", .value = "with a key"}));
  must(producer->close());
  CHECK(contents(*t.log("t")) == "0:with a key");
}

TEST_CASE("producer: linger counts from the oldest gathered record") {
  TestHome t;
  t.create("t", 2);
  const auto producer = t.producer("t", {.linger = 50ms});
  const Deadline began = t.env.clock().now();
  CHECK((producer->linger_deadline() ==
         began + kBackgroundFlushInterval));  // until then nobody need look at the log's state
  must(producer->send({.value = "a"}, PartitionId(0)));
  CHECK((producer->linger_deadline() == began + 50ms));
  t.env.manual_clock.advance(20ms);
  must(producer->send({.value = "b"}, PartitionId(0)));
  must(producer->send({.value = "c"}, PartitionId(1)));
  CHECK((producer->linger_deadline() == began + 50ms));
  must(producer->send_batches());
  CHECK((producer->linger_deadline() == began + 20ms + kBackgroundFlushInterval));
  must(producer->send({.value = "d"}, PartitionId(1)));
  CHECK((producer->linger_deadline() == began + 70ms));
}

TEST_CASE("producer: keys, headers, nulls and timestamps arrive as they were sent") {
  TestHome t;
  t.env.manual_clock.set_wall_ms(777);
  const auto producer = t.producer("t");
  must(producer->send({.key = "k", .value = "v", .headers = {{"h", "1"}, {"null", {}}}, .timestamp_ms = 42}));
  must(producer->send({.key = "", .value = std::nullopt}));
  must(producer->close());
  const auto consumer = t.consumer({.topics = {"t"}});
  auto record = must(consumer->next_record());
  REQUIRE(record.has_value());
  CHECK(record->key == "k");
  CHECK(record->timestamp_ms == 42);
  REQUIRE(record->headers().size() == 2);
  CHECK(record->headers()[0].name == "h");
  CHECK(record->headers()[0].value == "1");
  CHECK_FALSE(record->headers()[1].value.has_value());
  record = must(consumer->next_record());
  REQUIRE(record.has_value());
  CHECK(record->key == "");
  CHECK_FALSE(record->value.has_value());
  CHECK(record->timestamp_ms == 777);
  CHECK_FALSE(must(consumer->next_record()).has_value());
}

TEST_CASE("producer: records with the same key stay together and in order") {
  TestHome t;
  t.create("t", 4);
  const auto producer = t.producer("t", {.batch_bytes = 300});
  for (int i = 0; i < 200; ++i) {
    const std::string key = "key" + std::to_string(i % 10), value = std::to_string(i);
    must(producer->send({.key = key, .value = value}));
  }
  must(producer->close());
  std::map<std::string, std::pair<int32_t, int>> last;
  const auto consumer = t.consumer({.topics = {"t"}});
  int count = 0;
  while (const auto record = must(consumer->next_record())) {
    const std::string key(*record->key);
    const int value = std::stoi(std::string(*record->value));
    if (last.contains(key)) {
      CHECK(last[key].first == record->source->partition.value);
      CHECK(last[key].second + 10 == value);
    }
    last[key] = {record->source->partition.value, value};
    ++count;
  }
  CHECK(count == 200);
}

TEST_CASE("producer: a partition that is not there is refused") {
  TestHome t;
  t.create("t", 2);
  const auto producer = t.producer("t");
  CHECK(code_of(producer->send({.value = "x"}, PartitionId(2))) == Errc::not_found);
  CHECK(code_of(producer->send({.value = "x"}, PartitionId(-1))) == Errc::not_found);
  must(producer->send({.value = "x"}, PartitionId(1)));
  must(producer->close());
  CHECK(contents(*t.log("t", 1)) == "0:x");
}

TEST_CASE("producer: closing puts everything on stable storage and says so in the recovery points") {
  TestHome t;
  t.create("t", 2);
  const auto producer = t.producer("t", {.batch_bytes = 200});
  for (int i = 0; i < 30; ++i) must(producer->send({.value = "x"}, PartitionId(i % 2)));
  must(producer->close());
  for (int32_t p = 0; p < 2; ++p) {
    CHECK(t.log("t", p)->current_state()->page().flushed == 15);
    CHECK(must(LogDirectory(t.env.env(), t.home->log_directory(BrokerId(0))).recovery_point({"t", PartitionId(p)})) ==
          Offset(15));
  }
}

TEST_CASE("producer: with flush never, nothing is synced") {
  TestHome t;
  const auto producer = t.producer("t", {.flush = FlushMode::never});
  const int64_t before = t.env.files.calls(Call::sync);
  must(producer->send({.value = "x"}));
  must(producer->close());
  CHECK(t.env.files.calls(Call::sync) == before);
  CHECK(t.log("t")->current_state()->page().flushed == 0);
}

TEST_CASE("producer: reports say what a batch has reached") {
  const struct {
    Acks acks;
    FlushMode flush;
    const char* state;
    bool at_once;
  } rows[] = {{Acks::all, FlushMode::exit, "flushed", false},
              {Acks::all, FlushMode::never, "committed", true},
              {Acks::leader, FlushMode::never, "written", true},
              {Acks::none, FlushMode::never, "written", true}};
  for (const auto& row : rows) {
    CAPTURE(row.state);
    TestHome t;
    std::vector<std::string> reports;
    ProducerOptions options{.acks = row.acks, .flush = row.flush};
    options.report = [&](const BatchReport& report) -> Result<> {
      reports.push_back(report.partition.topic + "-" + std::to_string(report.partition.partition.value) + "@" +
                        std::to_string(report.base_offset.value) + "+" + std::to_string(report.record_count) + " " +
                        report.state);
      return {};
    };
    const auto producer = t.producer("t", options);
    for (int i = 0; i < 2; ++i) {
      must(producer->send({.value = "a"}));
      must(producer->send({.value = "b"}));
      must(producer->send_batches());
    }
    if (row.at_once) CHECK(reports.size() == 2);
    must(producer->close());
    CHECK(reports ==
          std::vector<std::string>{std::string("t-0@0+2 ") + row.state, std::string("t-0@2+2 ") + row.state});
  }
}

TEST_CASE("producer: a report that fails is the producer's failure") {
  for (const FlushMode flush : {FlushMode::never, FlushMode::exit}) {
    TestHome t;
    ProducerOptions options{.flush = flush};
    options.report = [](const BatchReport&) -> Result<> { return fail(Errc::io, "nobody listens"); };
    const auto producer = t.producer("t", options);
    must(producer->send({.value = "a"}));
    CHECK(error_of(producer->close()).what == "nobody listens");
  }
}

TEST_CASE("producer: an endless stream is flushed in the background within a second") {
  TestHome t(Machine::disk);
  const auto producer = t.producer("t");
  const auto log = t.log("t");
  must(producer->send({.value = "x"}));
  must(producer->send_batches());
  const auto began = std::chrono::steady_clock::now();
  while (log->current_state()->page().flushed < 1 && std::chrono::steady_clock::now() - began < 5s)
    std::this_thread::sleep_for(5ms);
  CHECK(std::chrono::steady_clock::now() - began < 1s);
  must(producer->close());
}

TEST_CASE("producer: a flush that fails in the background fails the next send, and closing") {
  TestHome t;
  const auto producer = t.producer("t");
  t.env.files.arm({.kind = Call::sync, .sys_errno = EIO});
  must(producer->send({.value = "x"}));
  must(producer->send_batches());
  const auto began = std::chrono::steady_clock::now();
  while (t.env.files.fired() == 0 && std::chrono::steady_clock::now() - began < 5s) std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(20ms);
  must(producer->send({.value = "y"}));
  CHECK(code_of(producer->send_batches()) == Errc::io);
  CHECK(code_of(producer->close()) == Errc::io);
}

TEST_CASE("producer: a disk that is full is said, and what was written before is kept and flushed") {
  TestHome t;
  const auto producer = t.producer("t", {.batch_bytes = 1});
  const auto log = t.log("t");
  must(producer->send({.value = "0"}));
  must(producer->send({.value = "1"}));  // sends the first
  t.env.files.arm({.kind = Call::write, .sys_errno = ENOSPC, .prefix_bytes = 20});
  CHECK(code_of(producer->send({.value = "2"})) == Errc::no_space);
  CHECK(contents(*log) == numbers(0, 1));
  must(producer->close());
  CHECK(producer->records_written() == 1);
  CHECK(log->current_state()->page().flushed == 1);
}

TEST_CASE("producer: a topic deleted meanwhile ends it, and the topic made again gets nothing") {
  TestHome t;
  const auto producer = t.producer("t");
  must(producer->send({.value = "old"}));
  must(producer->send_batches());
  must(t.home->delete_topic("t", t.env.soon()));
  t.create("t");
  must(producer->send({.value = "stray"}));
  CHECK(code_of(producer->send_batches()) == Errc::not_found);
  CHECK_FALSE(producer->close().has_value());
  CHECK(contents(*t.log("t")) == "");
}

TEST_CASE("producer: one that outlives its topic leaves no recovery point to the topic made again") {
  TestHome t;
  const auto producer = t.producer("t");
  for (int i = 0; i < 5; ++i) must(producer->send({.value = "old"}));
  must(producer->send_batches());
  const auto log = t.log("t");
  while (log->current_state()->page().flushed < 5) std::this_thread::sleep_for(5ms);  // in the background
  must(t.home->delete_topic("t", t.env.soon()));
  t.create("t");
  CHECK(code_of(producer->close()) == Errc::not_found);
  CHECK(must(LogDirectory(t.env.env(), t.home->log_directory(BrokerId(0))).recovery_point({"t", PartitionId(0)})) ==
        Offset(0));
}

TEST_CASE("producer: with flush batch, a batch is on stable storage and reported before the next one is taken") {
  TestHome t;
  t.create("t", 2);
  std::vector<std::string> reports;
  ProducerOptions options{.flush = FlushMode::batch};
  options.report = [&](const BatchReport& r) -> Result<> {
    reports.push_back(
        fmt::format("{}@{}+{} {}", r.partition.partition.value, r.base_offset.value, r.record_count, r.state));
    return {};
  };
  const auto producer = t.producer("t", options);
  must(producer->send({.value = "a"}, PartitionId(0)));
  must(producer->send({.value = "b"}, PartitionId(1)));
  CHECK(reports.empty());
  must(producer->send_batches());
  std::sort(reports.begin(), reports.end());
  CHECK(reports == std::vector<std::string>{"0@0+1 flushed", "1@0+1 flushed"});
  for (int32_t p = 0; p < 2; ++p) CHECK(t.log("t", p)->current_state()->page().flushed == 1);
  const int64_t syncs = t.env.files.calls(Call::sync);
  must(producer->send({.value = "c"}, PartitionId(0)));
  must(producer->send_batches());
  CHECK(t.env.files.calls(Call::sync) == syncs + 1);
  CHECK(reports.size() == 3);
  must(producer->close());
  CHECK(must(LogDirectory(t.env.env(), t.home->log_directory(BrokerId(0))).recovery_point({"t", PartitionId(0)})) ==
        Offset(2));
}

TEST_CASE("producer: with flush batch, a flush that fails is the failure of that batch's sender") {
  TestHome t;
  const auto producer = t.producer("t", {.flush = FlushMode::batch});
  must(producer->send({.value = "a"}));
  t.env.files.arm({.kind = Call::sync, .sys_errno = EIO});
  CHECK(code_of(producer->send_batches()) == Errc::io);
  must(producer->send({.value = "b"}));
  CHECK(code_of(producer->send_batches()) == Errc::io);
  CHECK(code_of(producer->close()) == Errc::io);
  CHECK(producer->records_written() == 1);
}

TEST_CASE("producer: a topic's flush.ms asks for more than flush never") {
  TestHome t;
  must(t.home->create_topic("at-once", 1, {{"flush.ms", "0"}}, t.env.soon()));
  must(t.home->create_topic("in-time", 1, {{"flush.ms", "60000"}}, t.env.soon()));
  for (const char* topic : {"at-once", "in-time"}) {
    const auto producer = t.producer(topic, {.flush = FlushMode::never});
    must(producer->send({.value = "x"}));
    must(producer->send_batches());
    CHECK(t.log(topic)->current_state()->page().flushed == (topic == std::string("at-once") ? 1 : 0));
    must(producer->close());
    CHECK(t.log(topic)->current_state()->page().flushed == 1);
  }
}

TEST_CASE("producer: batches are compressed as it was told, and as the topic was told before that") {
  TestHome t;
  const std::string value(1000, 'x');
  const auto send = [&](const std::string& topic, Codec codec) {
    const auto producer = t.producer(topic, {.codec = codec});
    for (int i = 0; i < 3; ++i) {
      must(producer->send({.value = value}));
      must(producer->send_batches());
    }
    must(producer->close());
    const auto log = t.log(topic);
    CHECK(contents(*log) == fmt::format("0:{0} 1:{0} 2:{0}", value));
    return codecs_in(*log);
  };
  CHECK(send("default", Codec::none) == std::vector{0, 0, 0});
  CHECK(send("chosen", Codec::lz4) == std::vector{3, 3, 3});
  t.create("topic", 1, {{"compression.type", "zstd"}});
  CHECK(send("topic", Codec::lz4) == std::vector{4, 4, 4});
  t.create("plain", 1, {{"compression.type", "uncompressed"}});
  CHECK(send("plain", Codec::gzip) == std::vector{0, 0, 0});
}

TEST_CASE("producer: a record that fits max.message.bytes fits with every codec, however badly it compresses") {
  TestHome t;
  SeededRandom random;
  for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    const std::string topic = codec_name(static_cast<int>(codec));
    t.create(topic, 1, {{"max.message.bytes", "50000"}});
    const auto producer = t.producer(topic, {.codec = codec});
    must(producer->send({.value = random.bytes(49'900)}));
    must(producer->send({.value = std::string(49'900, 'x')}));
    CHECK(code_of(producer->send({.value = std::string(50'000, 'x')})) == Errc::limit);
    must(producer->close());
    CHECK(codecs_in(*t.log(topic)) == std::vector{0, static_cast<int>(codec)});
  }
}

namespace {

// Values of a thousand bytes, with their number in front, so that a few hundred fill a batch that is worth a thread.
std::string large_value(int number) { return fmt::format("{:06}", number) + std::string(994, 'x'); }

constexpr int kLargePerBatch = 300;

ProducerOptions in_large_batches() { return {.batch_bytes = kLargePerBatch * 1010 + 200, .flush = FlushMode::never}; }

// The numbers of a partition's records, in order.
std::vector<int> numbers_in(TestHome& t, const std::string& topic, int32_t partition = 0) {
  const auto consumer = t.consumer({.topics = {topic}, .partitions = {PartitionId(partition)}});
  std::vector<int> found;
  while (const auto record = must(consumer->next_record()))
    found.push_back(std::stoi(std::string(record->value->substr(0, 6))));
  return found;
}

std::vector<int> count_to(int end) {
  std::vector<int> numbers;
  for (int i = 0; i < end; ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace

TEST_CASE("producer: large batches go in the background, whole and in order, whatever becomes of them") {
  for (const Codec codec : {Codec::none, Codec::lz4}) {
    TestHome t;
    t.create("t", 3);
    ProducerOptions options = in_large_batches();
    options.codec = codec;
    std::map<int32_t, std::vector<int64_t>> reported;
    options.report = [&](const BatchReport& report) -> Result<> {
      auto& offsets = reported[report.partition.partition.value];
      for (int32_t i = 0; i < report.record_count; ++i) offsets.push_back(report.base_offset.value + i);
      return {};
    };
    const auto producer = t.producer("t", options);
    for (int i = 0; i < 3000; ++i) {
      const std::string value = large_value(i / 3);
      must(producer->send({.value = value}, PartitionId(i % 3)));
    }
    must(producer->close());
    CHECK(producer->records_written() == 3000);
    for (int32_t partition = 0; partition < 3; ++partition) {
      CHECK(numbers_in(t, "t", partition) == count_to(1000));
      CHECK(reported[partition].size() == 1000);
      CHECK(std::is_sorted(reported[partition].begin(), reported[partition].end()));
    }
  }
}

TEST_CASE("producer: behind a large batch that could not be appended nothing is") {
  constexpr int kRecords = 4 * kLargePerBatch;
  int failed = 0, nth = 1;
  for (bool fired = true; fired; ++nth) {
    CAPTURE(nth);
    TestHome t;
    t.create("t");
    const auto producer = t.producer("t", in_large_batches());
    t.env.files.arm({.kind = Call::write, .nth = nth});
    Result<> sent;
    for (int number = 0; number < kRecords && sent; ++number) {
      const std::string value = large_value(number);
      sent = producer->send({.value = value});
    }
    const auto closed = producer->close();
    fired = t.env.files.fired() > 0;
    t.env.files.disarm();
    const auto found = numbers_in(t, "t");
    CHECK(found == count_to(static_cast<int>(found.size())));
    CHECK(producer->records_written() == static_cast<int64_t>(found.size()));
    if (sent && closed) {
      CHECK(found.size() == kRecords);  // an index can do without
      continue;
    }
    ++failed;
    CHECK((sent ? closed : sent).error().code == Errc::io);
    CHECK(found.size() < kRecords);
  }
  CHECK(failed >= 4);  // each batch once
}
