#include "core/local/consumer.h"
#include "core/local/newest_records.h"

#include <atomic>
#include <thread>

#include "core/base/crc32c.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/support/test_log.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

using Kind = Place::Kind;

std::vector<std::string> letters(int count) {
  std::vector<std::string> values;
  for (int i = 0; i < count; ++i) values.emplace_back(1, static_cast<char>('a' + i));
  return values;
}

}  // namespace

TEST_CASE("consumer: reads to the ends seen when it was opened") {
  for (const Machine machine : kEveryMachine) {
    TestHome t(machine);
    t.produce("t", {"a", "b"});
    const auto consumer = t.consumer({.topics = {"t"}});
    t.produce("t", {"late"});
    CHECK(TestHome::rest(*consumer) == "t-0@0=a t-0@1=b");
    CHECK(consumer->at_end());
    CHECK(t.read({.topics = {"t"}}) == "t-0@0=a t-0@1=b t-0@2=late");
  }
}

TEST_CASE("consumer: ranges") {
  TestHome t;
  t.produce("t", letters(10), 0, 1000);
  const struct {
    const char* name;
    Place from;
    std::optional<Place> to;
    const char* first_to_last;
  } rows[] = {
      {"all", {}, {}, "aj"},
      {"end", {Kind::end}, {}, ""},
      {"an offset", {Kind::offset, 7}, {}, "hj"},
      {"the end as an offset", {Kind::offset, 10}, {}, ""},
      {"after the start", {Kind::after_start, 3}, {}, "dj"},
      {"far after the start", {Kind::after_start, 99}, {}, ""},
      {"before the end", {Kind::before_end, 3}, {}, "hj"},
      {"far before the end", {Kind::before_end, 99}, {}, "aj"},
      {"a time", {Kind::timestamp, 1004}, {}, "ej"},
      {"a time after all", {Kind::timestamp, 5000}, {}, ""},
      {"from and to", {Kind::offset, 2}, Place{Kind::offset, 5}, "ce"},
      {"to a time", {}, Place{Kind::timestamp, 1003}, "ac"},
      {"to beyond the end", {Kind::offset, 8}, Place{Kind::offset, 99}, "ij"},
      {"to before the end", {}, Place{Kind::before_end, 8}, "ab"},
      {"an empty range", {Kind::offset, 5}, Place{Kind::offset, 5}, ""},
      {"a range backwards", {Kind::offset, 5}, Place{Kind::offset, 3}, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto consumer = t.consumer({.topics = {"t"}, .from = row.from, .to = row.to});
    std::string seen;
    while (const auto record = must(consumer->next_record())) seen += *record->value;
    std::string expected;
    if (*row.first_to_last != '\0') {
      for (char c = row.first_to_last[0]; c <= row.first_to_last[1]; ++c) expected += c;
    }
    CHECK(seen == expected);
    CHECK(consumer->at_end());
  }
}

TEST_CASE("consumer: a range may begin and end inside a batch") {
  TestHome t;
  const auto producer = t.producer("t");
  for (const auto& value : letters(6)) must(producer->send({.value = value}));
  must(producer->close());
  CHECK(t.read({.topics = {"t"}, .from = {Kind::offset, 2}, .to = Place{Kind::offset, 4}}) == "t-0@2=c t-0@3=d");
  const auto consumer = t.consumer({.topics = {"t"}, .from = {Kind::offset, 2}, .to = Place{Kind::offset, 4}});
  const auto fetched = must(consumer->poll());
  REQUIRE(fetched.has_value());
  CHECK(fetched->from == Offset(2));
  CHECK(fetched->end == Offset(4));
}

TEST_CASE("consumer: an offset that no partition has is out of range; where some have it, the others are left out") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a", "b", "c"}, 1);
  const Error error = error_of(LocalConsumer::open(*t.home, {.topics = {"t"}, .from = {Kind::offset, 4}}));
  CHECK(error.code == Errc::out_of_range);
  CHECK(error.what == "'t-0' has no offset 4: it holds 0 to 0");
  CHECK(t.read({.topics = {"t"}, .from = {Kind::offset, 2}}) == "t-1@2=c");
  CHECK(t.env.notices() == "'t-0' has no offset 2: it holds 0 to 0; this partition is left out\n");
}

TEST_CASE("consumer: what is not there") {
  TestHome t;
  t.create("t", 2);
  CHECK(code_of(LocalConsumer::open(*t.home, {.topics = {"none"}})) == Errc::not_found);
  CHECK(code_of(LocalConsumer::open(*t.home, {.topics = {"t"}, .partitions = {PartitionId(2)}})) == Errc::not_found);
  CHECK(t.read({.topics = {"t"}}) == "");
}

TEST_CASE("consumer: partitions take turns, and each is in order") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a", "b", "c"}, 0);
  t.produce("t", {"x", "y"}, 1);
  t.produce("u", {"u"});
  CHECK(t.read({.topics = {"t"}}) == "t-0@0=a t-1@0=x t-0@1=b t-1@1=y t-0@2=c");
  CHECK(t.read({.topics = {"t"}, .partitions = {PartitionId(1)}}) == "t-1@0=x t-1@1=y");
  CHECK(t.read({.topics = {"u", "t"}, .partitions = {PartitionId(0)}}) == "u-0@0=u t-0@0=a t-0@1=b t-0@2=c");
}

TEST_CASE("consumer: following goes on where reading ended, and gives up at the deadline") {
  TestHome t;
  t.produce("t", {"a"});
  const auto consumer = t.consumer({.topics = {"t"}, .follow = true});
  CHECK(must(consumer->next_record(t.env.soon()))->value == "a");
  const Deadline before = t.env.clock().now();
  CHECK_FALSE(must(consumer->next_record(before + 250ms)).has_value());
  CHECK(t.env.clock().now() >= before + 250ms);
  CHECK_FALSE(consumer->at_end());
  t.produce("t", {"b"});
  CHECK(must(consumer->next_record(t.env.soon()))->value == "b");
}

TEST_CASE("consumer: following to a place ends there") {
  TestHome t;
  t.produce("t", {"a"});
  const auto consumer = t.consumer({.topics = {"t"}, .to = Place{Kind::offset, 3}, .follow = true});
  CHECK(must(consumer->next_record(t.env.soon()))->value == "a");
  t.produce("t", {"b", "c", "d"});
  CHECK(TestHome::rest(*consumer) == "t-0@1=b t-0@2=c");
  CHECK(consumer->at_end());
}

TEST_CASE("consumer: a follower is woken at once by a writer in another thread") {
  for (const int32_t partitions : {1, 3}) {
    CAPTURE(partitions);
    TestHome t(Machine::disk);
    t.create("t", partitions);
    constexpr int kRecords = 30;
    std::atomic<int> seen = 0;
    std::thread follower([&] {
      const auto consumer = t.consumer({.topics = {"t"}, .follow = true});
      while (seen < kRecords) {
        const auto record = must(consumer->next_record(t.env.clock().after(30s)));
        if (!record || record->value != std::to_string(seen)) throw std::logic_error("not in order");
        ++seen;
      }
    });
    const auto producer = t.producer("t", {.flush = FlushMode::never});
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < kRecords; ++i) {
      const std::string value = std::to_string(i);
      must(producer->send({.value = value}, PartitionId(i % partitions)));
      must(producer->send_batches());
      while (seen <= i) std::this_thread::sleep_for(50us);
    }
    follower.join();
    // Without wake-ups each would have waited for the next look, a tenth of a second later.
    CHECK(std::chrono::steady_clock::now() - began < kRecords * 50ms);
  }
}

TEST_CASE("consumer: a follower whose topic is deleted ends") {
  for (const Machine machine : kEveryMachine) {
    TestHome t(machine);
    t.produce("t", {"a"});
    const auto consumer = t.consumer({.topics = {"t"}, .follow = true});
    CHECK(must(consumer->next_record(t.env.soon()))->value == "a");
    must(t.home->delete_topic("t", t.env.soon()));
    CHECK(code_of(consumer->next_record(t.env.soon())) == Errc::not_found);
  }
}

TEST_CASE(
    "consumer: a topic that is deleted while it is read, or just before, is not found, and no fault of the disk's") {
  for (const Machine machine : kEveryMachine) {
    TestHome t(machine);
    t.produce("t", {"a"});
    const TopicMetadata topic = must(t.home->describe_topic("t"));
    const auto consumer = t.consumer({.topics = {"t"}});
    must(t.home->delete_topic("t", t.env.soon()));
    const auto record = consumer->next_record();
    CHECK(code_of(record) == Errc::not_found);
    CHECK(record.error().sys_errno == 0);
    const auto log = t.home->open_partition(topic, PartitionId(0), Access::read_write, t.env.soon());
    CHECK(code_of(log) == Errc::not_found);
    CHECK(log.error().sys_errno == 0);
  }
}

TEST_CASE("consumer: a follower outlives a page that is lost and made anew") {
  TestHome t;
  t.produce("t", {"a"});
  const auto consumer = t.consumer({.topics = {"t"}, .follow = true});
  CHECK(must(consumer->next_record(t.env.soon()))->value == "a");
  must(t.env.files.unlink(t.path + "/brokers/0/t-0/partition.state"));
  CHECK_FALSE(must(consumer->next_record(t.env.clock().after(300ms))).has_value());
  t.produce("t", {"b"});
  CHECK(must(consumer->next_record(t.env.soon()))->value == "b");
}

TEST_CASE("consumer: damage ends the reading with a file and a place") {
  TestHome t;
  t.produce("t", {"a", "b", "c"});
  const std::string path = t.path + "/brokers/0/t-0/00000000000000000000.log";
  flip_bits(t.env.files, path, size_of(t.env.files, path) / 2);
  const auto consumer = t.consumer({.topics = {"t"}});
  CHECK(must(consumer->next_record())->value == "a");
  const Error error = error_of(consumer->next_record());
  CHECK(error.code == Errc::corrupt);
  CHECK(error.path == path);
  CHECK(error.position.has_value());
}

TEST_CASE("consumer: goes on behind damage where that is asked for, and tells what it left out") {
  TestHome t;
  t.produce("t", {"a", "b", "c", "d"});
  const std::string path = t.path + "/brokers/0/t-0/00000000000000000000.log";
  const uint64_t size = size_of(t.env.files, path) / 4;
  flip_bits(t.env.files, path, size + 65);
  std::string skipped;
  const auto note = [&](const SkippedDamage& damage) {
    skipped += damage.partition.topic + ":" + std::to_string(damage.from.value) + "-" + std::to_string(damage.to.value);
    CHECK(damage.error.path == path);
    CHECK(damage.error.position == static_cast<int64_t>(size));
  };
  CHECK(t.read({.topics = {"t"}, .skip_damage = note}) == "t-0@0=a t-0@2=c t-0@3=d");
  CHECK(skipped == "t:1-2");
  skipped.clear();
  CHECK(t.read({.topics = {"t"}, .to = Place{Kind::offset, 2}, .skip_damage = note}) == "t-0@0=a");
  CHECK(skipped == "t:1-2");
  skipped.clear();
  CHECK(must(read_newest(*t.home, {.topics = {"t"}, .skip_damage = note}, 3)).size() == 3);
  CHECK(skipped == "t:1-2");
}

TEST_CASE("consumer: the rest of a batch whose records make no sense is left out like other damage") {
  TestHome t;
  t.create("t");
  const auto log = t.log("t");
  TestBatch batch({"a", "b", "c"});
  const auto bytes = batch.bytes();
  bytes[kBatchHeaderBytes + 8] = std::byte{0x7f};  // the length of the second record, under a CRC that fits
  store_big_endian(bytes.data() + 17, crc32c(bytes.subspan(kBatchCrcStart)));
  must(log->append(bytes, t.env.soon()));
  append(*log, {"d"});
  const auto consumer = t.consumer({.topics = {"t"}});
  CHECK(must(consumer->next_record())->value == "a");
  CHECK(code_of(consumer->next_record()) == Errc::corrupt);
  std::string skipped;
  const auto note = [&](const SkippedDamage& damage) {
    skipped += std::to_string(damage.from.value) + "-" + std::to_string(damage.to.value);
  };
  CHECK(t.read({.topics = {"t"}, .skip_damage = note}) == "t-0@0=a t-0@3=d");
  CHECK(skipped == "1-3");
}

TEST_CASE("consumer: control batches move the offset and are no records") {
  TestHome t;
  t.create("t");
  const auto log = t.log("t");
  append(*log, {"a"});
  TestBatch control({"marker"});
  const auto bytes = control.bytes();
  store_big_endian<int16_t>(bytes.data() + 21, 1 << 5);
  store_big_endian(bytes.data() + 17, crc32c(bytes.subspan(kBatchCrcStart)));
  must(log->append(bytes, t.env.soon()));
  append(*log, {"b"});
  CHECK(t.read({.topics = {"t"}}) == "t-0@0=a t-0@2=b");
}

TEST_CASE("consumer: record metadata") {
  TestHome t;
  t.env.manual_clock.set_wall_ms(5555);
  t.create("t", 1, {{"message.timestamp.type", "LogAppendTime"}});
  t.produce("t", {"a"}, 0, 1);
  const auto consumer = t.consumer({.topics = {"t"}});
  const auto record = must(consumer->next_record());
  CHECK(record->timestamp_type == TimestampType::log_append);
  CHECK(record->timestamp_ms == 5555);
  CHECK(record->leader_epoch == LeaderEpoch(0));
  CHECK(record->source->topic == "t");
}

TEST_CASE("consumer: the newest records over all partitions, oldest first") {
  TestHome t;
  t.create("t", 3);
  t.produce("t", {"a1", "a2", "a3"}, 0, 100);  // 100 101 102
  t.produce("t", {"b1", "b2"}, 1, 101);        // 101 102
  const auto last = [&](int64_t count) {
    std::string text;
    for (const auto& record : must(read_newest(*t.home, {.topics = {"t"}}, count))) {
      const ConsumedRecord view = record.view();
      text += std::string(text.empty() ? "" : " ") + std::string(*view.value);
      CHECK(view.source->topic == "t");
    }
    return text;
  };
  CHECK(last(0) == "");
  CHECK(last(5) == last(99));
  CHECK(last(99).size() == 14);
  CHECK(last(99).starts_with("a1 "));
  const std::string two = last(2);
  CHECK((two == "a3 b2" || two == "b2 a3"));  // the same time: either
}

TEST_CASE("consumer: the newest records keep their order within a partition, whatever their times say") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a1"}, 0, 500);
  t.produce("t", {"a2"}, 0, 100);
  t.produce("t", {"b1"}, 1, 300);
  std::string text;
  for (const auto& record : must(read_newest(*t.home, {.topics = {"t"}}, 3))) text += *record.view().value;
  CHECK(text.find("a1") < text.find("a2"));
  CHECK(text.size() == 6);
}

TEST_CASE("consumer: the newest records that are wanted, however far back they are") {
  TestHome t;
  t.create("t", 3);  // the last one stays empty
  std::vector<std::string> values(200, "x");
  for (const int place : {3, 77, 150}) values[static_cast<size_t>(place)] = "!" + std::to_string(place);
  t.produce("t", values, 0, 1000);
  t.produce("t", {"!1", "x"}, 1, 1100);
  const auto last = [&](int64_t count) {
    std::string text;
    const auto wanted = [](const ConsumedRecord& record) { return record.value->starts_with('!'); };
    for (const auto& record : must(read_newest(*t.home, {.topics = {"t"}}, count, wanted)))
      text += *record.view().value;
    return text;
  };
  CHECK(last(0) == "");
  CHECK(last(1) == "!150");
  CHECK(last(2) == "!1!150");
  CHECK(last(3) == "!77!1!150");
  CHECK(last(9) == "!3!77!1!150");
}

TEST_CASE("consumer: an owned record has all that the view had") {
  TestHome t;
  const auto producer = t.producer("t");
  must(producer->send({.key = "k", .value = std::nullopt, .headers = {{"h", "v"}}, .timestamp_ms = 7}));
  must(producer->close());
  const auto records = must(read_newest(*t.home, {.topics = {"t"}}, 1));
  REQUIRE(records.size() == 1);
  const ConsumedRecord view = records[0].view();
  CHECK(view.key == "k");
  CHECK_FALSE(view.value.has_value());
  CHECK(view.timestamp_ms == 7);
  CHECK(view.offset == Offset(0));
  REQUIRE(view.headers().size() == 1);
  CHECK(view.headers()[0].value == "v");
}

TEST_CASE("consumer: compressed batches, of several partitions in turn and of several codecs, are read as any others") {
  TestHome t;
  t.create("t", 2);
  t.create("plain", 2);
  for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::none, Codec::lz4, Codec::zstd}) {
    for (const char* topic : {"t", "plain"}) {
      const auto producer = t.producer(topic, {.codec = topic == std::string("t") ? codec : Codec::none});
      for (int i = 0; i < 60; ++i) {
        must(producer->send({.value = "value " + std::to_string(i), .timestamp_ms = 1000 + i}, PartitionId(i % 2)));
      }
      must(producer->close());
    }
  }
  const auto read = [&](const Place& from, const std::vector<PartitionId>& partitions = {}) {
    std::string plain = t.read({.topics = {"plain"}, .partitions = partitions, .from = from});
    for (size_t at = 0; (at = plain.find("plain-", at)) != std::string::npos;) plain.replace(at, 6, "t-");
    const std::string compressed = t.read({.topics = {"t"}, .partitions = partitions, .from = from});
    CHECK(compressed == plain);
    return compressed;
  };
  CHECK(read({}).size() > 1000);
  CHECK(read({Place::Kind::offset, 47}).starts_with("t-0@47="));
  CHECK(read({Place::Kind::timestamp, 1058}, {PartitionId(1)}).starts_with("t-1@29=value 59"));
}
