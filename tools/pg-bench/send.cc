// Processes that send: as fast as it goes or each record at its time, and when each was acknowledged.
#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>

#include "core/local/producer.h"
#include "tools/pg-bench/run_stamp.h"
#include "tools/pg-bench/workers.h"

namespace pg {
namespace {

// What was sent and is not acknowledged yet. Acknowledgements may come from another thread than that which sends.
class Ledger {
 public:
  Ledger(Clock& clock, Measurement& measured, Partitioner partitioner, size_t partitions)
      : clock_(clock), measured_(measured), partitioner_(std::move(partitioner)), open_(partitions) {}

  // Notes a record before it is sent: where to.
  PartitionId add(const Record& record, Deadline due) {
    const std::lock_guard lock(mutex_);
    const PartitionId partition = partitioner_.choose(record.key);
    const auto bytes = static_cast<int64_t>(record.key.value_or("").size() + record.value.value_or("").size());
    auto& open = open_[static_cast<size_t>(partition.value)];
    if (open.empty() || open.back().due != due) open.push_back({due, 0, 0});
    ++open.back().count;
    open.back().bytes += bytes;
    return partition;
  }

  void acknowledge(const BatchReport& report) {
    const Deadline now = clock_.now();
    const std::lock_guard lock(mutex_);
    partitioner_.batch_sent(report.partition.partition);
    auto& open = open_[static_cast<size_t>(report.partition.partition.value)];
    for (int64_t left = report.record_count; left > 0 && !open.empty();) {
      Run& run = open.front();
      const int64_t count = std::min(left, run.count), bytes = run.bytes * count / run.count;
      measured_.done(run.due, now, count, bytes);
      left -= count;
      run.count -= count;
      run.bytes -= bytes;
      if (run.count == 0) open.pop_front();
    }
  }

 private:
  struct Run {  // records that were due at one time
    Deadline due;
    int64_t count;
    int64_t bytes;
  };

  Clock& clock_;
  std::mutex mutex_;
  Measurement& measured_;
  Partitioner partitioner_;
  std::vector<std::deque<Run>> open_;  // of each partition
};

struct SendPlan {
  bool stamped = false;     // records say when they were due
  bool one_by_one = false;  // the next one is not due before this one is acknowledged
};

class Sender {
 public:
  Sender(Home& home, const BenchOptions& options, const WorkerTask& task, SendPlan plan)
      : home_(home),
        clock_(home.env().clock),
        options_(options),
        task_(task),
        plan_(plan),
        measured_(task.start + options.warm_up_length()),
        stamp_(task.start) {}

  Result<Measurement> run();

 private:
  Result<> open();
  Result<> send_all();
  Result<> send_one(Deadline due);
  Result<> wait_until(Pacer& pacer, Deadline due);
  Result<> send_end_marks();
  // Of the records of all, this one's part.
  int64_t count() const { return options_.count / task_.of + (task_.index < options_.count % task_.of ? 1 : 0); }

  Home& home_;
  Clock& clock_;
  const BenchOptions& options_;
  const WorkerTask& task_;
  const SendPlan plan_;
  Measurement measured_;
  std::optional<TextSource> values_, keys_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Producer> producer_;
  RunStamp stamp_;
  Record record_;  // reused
};

Result<> Sender::open() {
  PG_ASSIGN(values_, options_.values());
  PG_ASSIGN(keys_, options_.keys());
  ProducerOptions chosen = options_.producer;
  chosen.create_topic = false;
  chosen.report = [this](const BatchReport& report) -> Result<> {
    ledger_->acknowledge(report);
    return {};
  };
  PG_ASSIGN(producer_, LocalProducer::open(home_, task_.topic, chosen));
  const int32_t partitions = producer_->partition_count();
  ledger_ = std::make_unique<Ledger>(clock_, measured_, Partitioner(chosen.partitioner, partitions, home_.env().random),
                                     partitions);
  if (plan_.stamped) record_.headers = {stamp_.header()};
  return {};
}

Result<Measurement> Sender::run() {
  PG_CHECK(open());
  PG_CHECK(send_all());
  if (plan_.stamped) PG_CHECK(send_end_marks());
  PG_CHECK(producer_->close());
  return std::move(measured_);
}

Result<> Sender::send_all() {
  Pacer pacer(clock_, task_.start, static_cast<double>(options_.rate), task_.index, task_.of);
  const Deadline end = task_.start + options_.warm_up_length() + options_.measured_length();
  pacer.wait_until(task_.start);
  for (int64_t number = 0; options_.count == 0 || number < count(); ++number) {
    const Deadline due = plan_.one_by_one && !pacer.is_paced() ? clock_.now() : pacer.due(number);
    if (due >= end) return {};
    if (pacer.is_paced()) PG_CHECK(wait_until(pacer, due));
    PG_CHECK(send_one(due));
  }
  return {};
}

// As pg-produce does while its input has nothing: what is gathered is sent once it has lingered.
Result<> Sender::wait_until(Pacer& pacer, Deadline due) {
  while (clock_.now() < due) {
    const Deadline linger = producer_->linger_deadline().value_or(kNoDeadline);
    if (linger <= clock_.now())
      PG_CHECK(producer_->send_batches());
    else
      pacer.wait_until(std::min(due, linger));
  }
  return {};
}

Result<> Sender::send_one(Deadline due) {
  record_.value = values_->next();
  if (keys_) record_.key = keys_->next();
  if (plan_.stamped) stamp_.set_due(due);
  const PartitionId partition = ledger_->add(record_, due);
  PG_CHECK(producer_->send(record_, partition));
  return plan_.one_by_one ? producer_->send_batches() : Result<>();
}

// Readers have all of ours once they have these.
Result<> Sender::send_end_marks() {
  stamp_.set_end();
  for (int32_t partition = 0; partition < producer_->partition_count(); ++partition) {
    PG_CHECK(producer_->send(record_, PartitionId(partition)));
  }
  return {};
}

Result<Measurement> send_as_fast_as_it_goes(Home& home, const BenchOptions& options, const WorkerTask& task) {
  return Sender(home, options, task, {}).run();
}
Result<Measurement> send_stamped(Home& home, const BenchOptions& options, const WorkerTask& task) {
  return Sender(home, options, task, {.stamped = true}).run();
}
Result<Measurement> send_one_by_one(Home& home, const BenchOptions& options, const WorkerTask& task) {
  return Sender(home, options, task, {.one_by_one = true}).run();
}

}  // namespace

const WorkerRole kSendRole{"send", produce_table, send_as_fast_as_it_goes};
const WorkerRole kTimedSendRole{"timed-send", latency_table, send_stamped};
const WorkerRole kDurableRole{"durable", durable_table, send_one_by_one};

}  // namespace pg
