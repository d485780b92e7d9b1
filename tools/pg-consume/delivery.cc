#include "tools/pg-consume/delivery.h"

#include <algorithm>

namespace pg {

// With what keeping a record costs besides its bytes.
size_t Delivery::size_of(const OwnedRecord& record) {
  constexpr size_t kOverheadBytes = 300;
  const ConsumedRecord view = record.view();
  return kOverheadBytes + view.key.value_or("").size() + view.value.value_or("").size() + view.header_bytes.size();
}

std::string Delivery::lane_of(const ConsumedRecord& record) const {
  switch (options_.order) {
    case DeliveryOrder::partition:
      return {};
    case DeliveryOrder::key:
      return record.key ? std::string(1, 'k').append(*record.key) : std::string();
    case DeliveryOrder::none:
      return std::to_string(record.offset.value);
  }
  return {};
}

void Delivery::make_ready(Partition& partition, Lanes::iterator lane) {
  partition.ready.emplace(lane->second.waiting.front().offset(), lane);
  partition.takeable += lane->second.waiting.size();
}

void Delivery::add(OwnedRecord record, LeaderEpoch epoch) {
  const ConsumedRecord view = record.view();
  Partition& partition = partitions_[*view.source];
  PG_ASSERT(!partition.dropped);
  partition.tracker.deliver(view.offset, epoch);
  ++waiting_records_;
  waiting_bytes_ += size_of(record);
  const auto lane = partition.lanes.try_emplace(lane_of(view)).first;
  lane->second.waiting.push_back(std::move(record));
  if (lane->second.busy) return;
  if (lane->second.waiting.size() == 1) {
    make_ready(partition, lane);
  } else {
    ++partition.takeable;
  }
}

void Delivery::pass(const TopicPartition& partition, Offset offset, LeaderEpoch epoch) {
  OffsetTracker& tracker = partitions_[partition].tracker;
  tracker.deliver(offset, epoch);
  tracker.finish(offset);
}

bool Delivery::wants_more() const {
  if (stopped_ || running_ >= options_.workers || waiting_bytes_ >= options_.queue_bytes) return false;
  return std::none_of(partitions_.begin(), partitions_.end(),
                      [&](const auto& entry) { return entry.second.takeable >= options_.batch_records; });
}

const DeliveryJob* Delivery::start(Deadline now) {
  if (stopped_ || running_ >= options_.workers) return nullptr;
  Started* started = nullptr;
  if (!due_.empty() && due_.begin()->first <= now) {
    started = jobs_.at(due_.begin()->second).get();
    due_.erase(due_.begin());
    started->due.reset();
    ++started->job.attempt;
  } else {
    const auto partition = next_partition();
    if (partition == partitions_.end()) return nullptr;
    turn_ = partition->first;
    started = &take(partition->first, partition->second);
  }
  started->running = true;
  ++running_;
  return &started->job;
}

// The first one behind turn_, around, that has something to take.
std::map<TopicPartition, Delivery::Partition>::iterator Delivery::next_partition() {
  const auto has_some = [](const auto& entry) { return entry.second.takeable > 0; };
  const auto middle = partitions_.upper_bound(turn_);
  auto found = std::find_if(middle, partitions_.end(), has_some);
  if (found != partitions_.end()) return found;
  found = std::find_if(partitions_.begin(), middle, has_some);
  return found == middle ? partitions_.end() : found;
}

Delivery::Started& Delivery::take(const TopicPartition& name, Partition& partition) {
  auto started = std::make_unique<Started>();
  DeliveryJob& job = started->job;
  job.id = next_id_++;
  job.partition = name;
  while (job.records.size() < options_.batch_records && !partition.ready.empty()) {
    job.records.push_back(take_record(partition, job));
  }
  // The lanes of the job were still ready, so that it could take more of them.
  for (const auto& name_of_lane : job.lanes_) {
    Lane& lane = partition.lanes.at(name_of_lane);
    lane.busy = true;
    if (lane.waiting.empty()) continue;
    partition.ready.erase(lane.waiting.front().offset());
    partition.takeable -= lane.waiting.size();
  }
  return *jobs_.emplace(job.id, std::move(started)).first->second;
}

// The one with the lowest offset.
OwnedRecord Delivery::take_record(Partition& partition, DeliveryJob& job) {
  const auto first = partition.ready.begin();
  const Lanes::iterator lane = first->second;
  partition.ready.erase(first);
  OwnedRecord record = std::move(lane->second.waiting.front());
  lane->second.waiting.pop_front();
  job.lanes_.insert(lane->first);
  if (!lane->second.waiting.empty()) partition.ready.emplace(lane->second.waiting.front().offset(), lane);
  --partition.takeable;
  --waiting_records_;
  waiting_bytes_ -= size_of(record);
  return record;
}

std::optional<Deadline> Delivery::next_start() const {
  if (stopped_ || running_ >= options_.workers || due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

Delivery::Verdict Delivery::ended(uint64_t id, Attempt attempt, Deadline now) {
  Started& started = *jobs_.at(id);
  PG_ASSERT(started.running);
  started.running = false;
  --running_;
  if (attempt == Attempt::succeeded) {
    finish(started);
    return Verdict::finished;
  }
  if (attempt == Attempt::failed && started.job.attempt < options_.attempts_max) {
    if (!partitions_.at(started.job.partition).dropped) {
      started.due = retry_time(started.job.attempt, now);
      due_.emplace(*started.due, id);
    }
    return Verdict::retry;
  }
  if (attempt == Attempt::failed && options_.dead_letters) return Verdict::dead_letter;
  stop();
  return Verdict::gave_up;
}

void Delivery::dead_lettered(uint64_t job) { finish(*jobs_.at(job)); }

void Delivery::finish(Started& started) {
  Partition& partition = partitions_.at(started.job.partition);
  for (const auto& record : started.job.records) partition.tracker.finish(record.offset());
  for (const auto& name : started.job.lanes_) {
    const auto lane = partition.lanes.find(name);
    lane->second.busy = false;
    if (lane->second.waiting.empty()) {
      partition.lanes.erase(lane);
    } else {
      make_ready(partition, lane);
    }
  }
  jobs_.erase(started.job.id);
}

// Half of it is certain, half is chance, so that those that failed together do not come back together.
Deadline Delivery::retry_time(int64_t attempt, Deadline now) {
  const Duration longest = std::max(kRetryBackoffMax, options_.retry_backoff);
  Duration delay = options_.retry_backoff;
  for (int64_t i = 1; i < attempt && delay < longest; ++i) delay *= 2;
  delay = std::min(delay, longest);
  const auto half = static_cast<uint64_t>(delay.count() / 2);
  delay = Duration(static_cast<int64_t>(half + random_.next() % (half + 1)));
  return delay >= kNoDeadline - now ? kNoDeadline : now + delay;
}

void Delivery::drop(const TopicPartition& name) {
  const auto found = partitions_.find(name);
  if (found == partitions_.end()) return;
  Partition& partition = found->second;
  partition.dropped = true;
  partition.ready.clear();
  partition.takeable = 0;
  for (auto& [lane_name, lane] : partition.lanes) {
    waiting_records_ -= lane.waiting.size();
    for (const auto& record : lane.waiting) waiting_bytes_ -= size_of(record);
    lane.waiting.clear();
  }
  for (auto& [id, started] : jobs_) {
    if (started->job.partition != name || !started->due) continue;
    due_.erase({*started->due, id});
    started->due.reset();
  }
}

size_t Delivery::running_of(const TopicPartition& partition) const {
  return static_cast<size_t>(std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    return entry.second->running && entry.second->job.partition == partition;
  }));
}

void Delivery::forget(const TopicPartition& partition) {
  PG_ASSERT(running_of(partition) == 0);
  std::erase_if(jobs_, [&](const auto& entry) { return entry.second->job.partition == partition; });
  partitions_.erase(partition);
}

std::optional<OffsetTracker::Committable> Delivery::committable(const TopicPartition& partition) const {
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? std::nullopt : found->second.tracker.committable();
}

}  // namespace pg
