// compare_replicas: whether all replicas of a partition hold the same.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/local/cluster_admin.h"
#include "core/log/log_reader.h"
#include "core/store/leader.h"

namespace pg {
namespace {

struct Copy {
  BrokerId broker;
  std::unique_ptr<PartitionLog> log;
  std::shared_ptr<PartitionState> state;
};

using Report = std::function<void(const std::string&)>;

class Comparison {
 public:
  Comparison(const TopicMetadata& topic, PartitionId partition, const Report& report)
      : name_(fmt::format("{}-{}", topic.name, partition.value)), report_(report) {}

  int64_t faults() const { return faults_; }

  // What cannot be read is told to the copy's broker, which makes it anew from a good one.
  void unreadable(const Copy& copy, Offset offset, const Error& error) {
    note_fault(*copy.log, error);
    fault(copy.broker, offset, error.message());
  }

  void fault(BrokerId broker, Offset offset, const std::string& reason) {
    // The leader's are met again with each follower.
    const std::string line = fmt::format("{} on broker {} offset {}: {}", name_, broker.value, offset.value, reason);
    if (!told_.insert(line).second) return;
    ++faults_;
    report_(line);
  }

  // Batch by batch. What differs is told once for each replica, since all that follows differs too.
  void same_batches(const Copy& leader, const Copy& other, Offset from, Offset end) {
    LogReader theirs(*leader.log, from), mine(*other.log, from);
    while (theirs.next_offset() < end) {
      const Offset at = theirs.next_offset();
      const auto expected = theirs.next(end);
      if (!expected) return unreadable(leader, at, expected.error());
      if (!*expected) return;
      const auto found = mine.next(end);
      if (!found) return unreadable(other, at, found.error());
      if (!*found) return fault(other.broker, at, "it ends here");
      const bool same = (*found)->bytes.size() == (*expected)->bytes.size() &&
                        std::equal((*found)->bytes.begin(), (*found)->bytes.end(), (*expected)->bytes.begin());
      if (!same)
        return fault(other.broker, at, fmt::format("it differs from the batch of broker {}", leader.broker.value));
    }
  }

  using LastValues = std::map<std::string, std::pair<Offset, std::optional<std::string>>>;
  Result<LastValues> last_values(const Copy& copy, Offset from, Offset end) {
    LastValues values;
    LogReader reader(*copy.log, from);
    Decompressor decompressor;
    for (;;) {
      PG_ASSIGN(const auto batch, reader.next(end));
      if (!batch) return values;
      PG_ASSIGN(auto records, RecordCursor::begin(batch->bytes, batch->header, decompressor));
      RecordView record;
      for (;;) {
        PG_ASSIGN(const bool more, records.next(record));
        if (!more) break;
        if (!record.key) continue;
        if (record.value)
          values[std::string(*record.key)] = {record.offset, std::string(*record.value)};
        else
          values.erase(std::string(*record.key));
      }
    }
  }

  // Each compacts its copy in its own time; what keys have in the end must not differ.
  void same_values(const Copy& leader, const Copy& other, Offset from, Offset end) {
    const auto expected = last_values(leader, from, end), found = last_values(other, from, end);
    if (!expected) return unreadable(leader, from, expected.error());
    if (!found) return unreadable(other, from, found.error());
    for (const auto& [key, value] : *expected) {
      const auto at = found->find(key);
      if (at == found->end() || at->second != value)
        fault(other.broker, value.first,
              fmt::format("a key has another last value than on broker {}", leader.broker.value));
    }
    for (const auto& [key, value] : *found) {
      if (!expected->contains(key))
        fault(other.broker, value.first,
              fmt::format("a key has a value that is none on broker {}", leader.broker.value));
    }
  }

 private:
  const std::string name_;
  const Report& report_;
  int64_t faults_ = 0;
  std::set<std::string> told_;
};

}  // namespace

Result<int64_t> compare_replicas(const Home& home, const TopicMetadata& topic, PartitionId partition, Deadline deadline,
                                 const Report& report) {
  Comparison comparison(topic, partition, report);
  const PartitionMetadata& metadata = topic.partitions[static_cast<size_t>(partition.value)];
  PG_ASSIGN(const LogConfig config, to_log_config(topic.config));
  std::vector<Copy> copies;
  for (const BrokerId replica : metadata.replicas) {
    PG_ASSIGN(auto spec, home.replica_spec(topic, partition, replica, Access::read_write));
    auto log = PartitionLog::open(home.env(), std::move(spec), deadline);
    if (!log) {
      comparison.fault(replica, Offset(0), log.error().message());
      continue;
    }
    auto state = (*log)->current_state();
    copies.push_back({replica, std::move(*log), std::move(state)});
    if (replica == metadata.leader) std::swap(copies.front(), copies.back());
  }
  for (size_t i = 1; i < copies.size(); ++i) {
    const Copy &leader = copies.front(), &other = copies[i];
    const Offset from = std::max(leader.state->position().log_start, other.state->position().log_start);
    // What a replica does not know to be committed, it may not have yet.
    const bool in_sync =
        std::find(metadata.in_sync.begin(), metadata.in_sync.end(), other.broker) != metadata.in_sync.end();
    const Offset committed = in_sync ? leader.state->high_watermark() : other.state->high_watermark();
    const Offset end = std::min(committed, leader.state->position().log_end);
    // Which values had a successor later than that, compaction does not tell.
    if (config.cleanup_compact && !in_sync) continue;
    if (config.cleanup_compact)
      comparison.same_values(leader, other, from, end);
    else
      comparison.same_batches(leader, other, from, end);
  }
  return comparison.faults();
}

}  // namespace pg
