// Processes that read: all there is, or each record as it comes.
#include <algorithm>

#include "core/local/consumer.h"
#include "tools/pg-bench/run_stamp.h"
#include "tools/pg-bench/workers.h"

namespace pg {
namespace {

// The partitions are shared out; of readers without one, each reads one that another reads too.
Result<std::vector<PartitionId>> own_partitions(const Home& home, const WorkerTask& task) {
  PG_ASSIGN(const TopicMetadata topic, home.describe_topic(task.topic));
  const auto count = static_cast<int32_t>(topic.partitions.size());
  std::vector<PartitionId> own;
  for (auto i = static_cast<int32_t>(task.index % count); i < count; i += static_cast<int32_t>(task.of))
    own.emplace_back(i);
  return own;
}

int64_t bytes_of(const RecordView& record) {
  return static_cast<int64_t>(record.key.value_or("").size() + record.value.value_or("").size());
}

Result<> read_once(Consumer& consumer, Clock& clock, Deadline end, Measurement& measured) {
  for (;;) {
    PG_ASSIGN(const auto batch, consumer.poll());
    if (!batch) return {};
    int64_t count = 0, bytes = 0;
    for (ConsumedRecord record;; ++count, bytes += bytes_of(record)) {
      PG_ASSIGN(const bool more, batch->next(record));
      if (!more) break;
    }
    const Deadline now = clock.now();
    measured.passed(now, count, bytes);
    if (now >= end) return {};
  }
}

// With a duration, from the first record on again and again.
Result<Measurement> read_all(Home& home, const BenchOptions& options, const WorkerTask& task) {
  Clock& clock = home.env().clock;
  PG_ASSIGN(const auto partitions, own_partitions(home, task));
  Measurement measured(task.start + options.warm_up_length());
  const Deadline end = task.start + options.warm_up_length() + options.measured_length();
  Pacer(clock, task.start, 0, 0, 1).wait_until(task.start);
  do {
    PG_ASSIGN(const auto consumer, LocalConsumer::open(home, {.topics = {task.topic}, .partitions = partitions}));
    PG_CHECK(read_once(*consumer, clock, end, measured));
  } while (options.duration && clock.now() < end);
  return measured;
}

// Until every sender has said in every partition that it has no more.
Result<Measurement> follow(Home& home, const BenchOptions& options, const WorkerTask& task) {
  // Of a topic that was there before, old records are passed over; the senders wait for the start.
  constexpr int64_t kLookBackMs = 10'000;
  Clock& clock = home.env().clock;
  PG_ASSIGN(const auto partitions, own_partitions(home, task));
  PG_ASSIGN(const auto consumer,
            LocalConsumer::open(home, {.topics = {task.topic},
                                       .partitions = partitions,
                                       .from = {Place::Kind::timestamp, clock.wall_ms() - kLookBackMs},
                                       .follow = true}));
  Measurement measured(task.start + options.warm_up_length());
  for (auto senders = options.processes * static_cast<int64_t>(partitions.size()); senders > 0;) {
    PG_ASSIGN(const auto record, consumer->next_record());
    if (!record) continue;
    const auto seen = RunStamp::find(*record, task.start);
    if (seen && seen->is_end())
      --senders;
    else if (seen)
      measured.done(seen->due, clock.now(), 1, bytes_of(*record));
  }
  return measured;
}

}  // namespace

const WorkerRole kReadRole{"read", consume_table, read_all};
const WorkerRole kFollowRole{"follow", latency_table, follow};

}  // namespace pg
