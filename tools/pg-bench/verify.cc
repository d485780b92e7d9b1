// pg-bench verify: sends numbered records and reads them back, with a line of JSON for each acknowledgement and each
// record read, in the words of Apache Kafka's VerifiableProducer and VerifiableConsumer, so that checkers made for
// these understand them.
#include <fmt/format.h>

#include <deque>

#include "core/local/consumer.h"
#include "core/os/signals.h"
#include "tools/common/producer_options.h"
#include "tools/pg-bench/commands.h"
#include "tools/pg-bench/scratch.h"
#include "tools/pg-bench/told.h"

namespace pg {
namespace {

constexpr int64_t kRecords = 1000;
constexpr int64_t kRecordsPerTurn = 100;  // sent, before what has come is read

using Json = nlohmann::ordered_json;

// Of one partition, our own records alone.
struct Told {
  std::deque<int64_t> sent;  // not acknowledged yet
  std::vector<ToldRecord> acknowledged, read;
};

class Verify {
 public:
  Verify(const Tool& tool, Home& home, const BenchOptions& options, const std::string& topic)
      : tool_(tool),
        clock_(home.env().clock),
        options_(options),
        topic_(topic),
        prefix_(fmt::format("{}-", home.env().process().pid)),
        home_(home) {}

  Result<ExitCode> run();

 private:
  Result<> open();
  Result<> send_all();
  Result<> tell_acknowledged(const BatchReport& report);
  Result<bool> read_one(Deadline deadline);
  Result<> read_what_came(Deadline deadline);
  Result<> read_the_rest();
  Result<> tell(const char* name, Json members);
  Json record_members(int64_t number, PartitionId partition, int64_t offset) const;
  int64_t count(std::vector<ToldRecord> Told::*list) const;
  Result<ExitCode> compare() const;

  const Tool& tool_;
  Clock& clock_;
  const BenchOptions& options_;
  const std::string& topic_;
  const std::string prefix_;  // of our values: others may write to the topic too
  Home& home_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Consumer> consumer_;
  std::vector<Told> told_;  // of each partition
};

Result<> Verify::open() {
  ProducerOptions chosen = options_.producer;
  chosen.create_topic = false;
  chosen.report = [this](const BatchReport& report) { return tell_acknowledged(report); };
  PG_ASSIGN(producer_, LocalProducer::open(home_, topic_, chosen));
  PG_ASSIGN(consumer_, LocalConsumer::open(home_, {.topics = {topic_}, .from = {Place::Kind::end}, .follow = true}));
  told_.resize(static_cast<size_t>(producer_->partition_count()));
  return tell("startup_complete", Json::object());
}

Result<ExitCode> Verify::run() {
  PG_CHECK(open());
  auto sent = send_all();
  if (sent) sent = producer_->close();
  if (!sent) PG_CHECK(tell("producer_send_error", {{"topic", topic_}, {"message", sent.error().message()}}));
  PG_CHECK(read_the_rest());
  PG_CHECK(tell("shutdown_complete", {{"acked", count(&Told::acknowledged)}, {"read", count(&Told::read)}}));
  PG_CHECK(sent);
  return compare();
}

Result<> Verify::send_all() {
  Pacer pacer(clock_, clock_.now(), static_cast<double>(options_.rate), 0, 1);
  const auto partitions = static_cast<int64_t>(told_.size());
  for (int64_t number = 0; number < options_.count && stop_signal() == 0; ++number) {
    const Deadline due = pacer.due(number);
    if (number % kRecordsPerTurn == 0 || due > clock_.now()) {
      PG_CHECK(producer_->send_batches());
      PG_CHECK(read_what_came(pacer.is_paced() ? due : clock_.now()));
    }
    const PartitionId partition(static_cast<int32_t>(number % partitions));
    told_[static_cast<size_t>(partition.value)].sent.push_back(number);
    const std::string value = prefix_ + std::to_string(number);
    PG_CHECK(producer_->send({.value = value}, partition));
  }
  return {};
}

Result<> Verify::tell_acknowledged(const BatchReport& report) {
  Told& told = told_[static_cast<size_t>(report.partition.partition.value)];
  for (int32_t i = 0; i < report.record_count; ++i) {
    const int64_t number = told.sent.front(), offset = report.base_offset.value + i;
    told.sent.pop_front();
    told.acknowledged.push_back({offset, number});
    PG_CHECK(tell("producer_send_success", record_members(number, report.partition.partition, offset)));
  }
  return {};
}

// The next one of ours: whether it came in time.
Result<bool> Verify::read_one(Deadline deadline) {
  for (;;) {
    PG_ASSIGN(const auto record, consumer_->next_record(deadline));
    if (!record) return false;
    const std::string_view value = record->value.value_or("");
    if (!value.starts_with(prefix_)) continue;
    const auto number = parse_integer(value.substr(prefix_.size()));
    if (!number) continue;
    const PartitionId partition = record->source->partition;
    told_[static_cast<size_t>(partition.value)].read.push_back({record->offset.value, *number});
    PG_CHECK(tell("record_data", record_members(*number, partition, record->offset.value)));
    return true;
  }
}

Result<> Verify::read_what_came(Deadline deadline) {
  for (;;) {
    PG_ASSIGN(const bool came, read_one(deadline));
    if (!came) return {};
  }
}

// What was acknowledged must come; how long to wait for the next of it, --timeout says.
Result<> Verify::read_the_rest() {
  while (count(&Told::read) < count(&Told::acknowledged)) {
    PG_ASSIGN(const bool came, read_one(tool_.deadline()));
    if (!came) return {};
  }
  return read_what_came(clock_.now());  // what came twice
}

Result<> Verify::tell(const char* name, Json members) {
  Json event{{"timestamp", clock_.wall_ms()}, {"name", name}};
  event.update(members);
  return tool_.print(event.dump() + "\n");
}

Json Verify::record_members(int64_t number, PartitionId partition, int64_t offset) const {
  return {{"key", nullptr},
          {"value", prefix_ + std::to_string(number)},
          {"topic", topic_},
          {"partition", partition.value},
          {"offset", offset}};
}

int64_t Verify::count(std::vector<ToldRecord> Told::*list) const {
  int64_t sum = 0;
  for (const Told& told : told_) sum += static_cast<int64_t>((told.*list).size());
  return sum;
}

Result<ExitCode> Verify::compare() const {
  for (size_t i = 0; i < told_.size(); ++i) {
    PG_CHECK(compare_told({topic_, PartitionId(static_cast<int32_t>(i))}, told_[i].acknowledged, told_[i].read));
  }
  return kExitDone;
}

}  // namespace

int bench_verify(const Arguments& arguments) {
  Tool tool("pg-bench verify");
  BenchOptions options;
  options.count = kRecords;
  OptionTable table(
      "pg-bench verify", "",
      "Sends numbered records and reads them back, with a line of JSON per acknowledgement and per record read.");
  table.count("--count", 1, options.count, "send N records (default 1000)");
  table.count("--rate", 1, options.rate, "records per second (default: as fast as it goes)");
  add_topic_options(table, options);
  add_producer_options(table, options.producer);
  tool.add_common_options(table, "");
  return run_tidily(tool, table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home_to_write());
    PG_ASSIGN(const BenchTopic topic, BenchTopic::make(tool, *home, options));
    return Verify(tool, *home, options, topic.name()).run();
  });
}

}  // namespace pg
