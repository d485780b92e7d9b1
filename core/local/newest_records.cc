#include "core/local/newest_records.h"

#include <algorithm>
#include <deque>
#include <map>

#include "core/local/consumer.h"

namespace pg {
namespace {

using RecordsByPartition = std::map<TopicPartition, std::deque<OwnedRecord>>;

// The last `count` wanted records of each partition.
Result<RecordsByPartition> last_of_each(LocalConsumer& consumer, int64_t count, const RecordPredicate& wanted) {
  RecordsByPartition records;
  for (;;) {
    PG_ASSIGN(const auto record, consumer.next_record());
    if (!record) return records;
    if (wanted && !wanted(*record)) continue;
    auto& last = records[*record->source];
    last.emplace_back(*record);
    if (std::cmp_greater(last.size(), count)) last.pop_front();
  }
}

// From the newest back: each time the partition whose last remaining record is the latest gives one.
std::vector<OwnedRecord> newest_of(RecordsByPartition records, int64_t count) {
  std::vector<OwnedRecord> newest;
  while (std::cmp_less(newest.size(), count)) {
    std::deque<OwnedRecord>* latest = nullptr;
    for (auto& [partition, last] : records) {
      if (last.empty()) continue;
      if (latest == nullptr || last.back().timestamp_ms() >= latest->back().timestamp_ms()) latest = &last;
    }
    if (latest == nullptr) break;
    newest.push_back(std::move(latest->back()));
    latest->pop_back();
  }
  std::reverse(newest.begin(), newest.end());
  return newest;
}

}  // namespace

// Not every offset before the end has a record that is wanted, or any record at all: it looks back further until each
// partition has given as many as could be needed. Steps of four, so that all of them together read little more than the
// last one.
Result<std::vector<OwnedRecord>> read_newest(Home& home, const ConsumerOptions& options, int64_t count,
                                             const RecordPredicate& wanted) {
  ConsumerOptions tail = options;
  tail.to.reset();
  tail.follow = false;
  std::vector<SkippedDamage> skipped;
  std::map<TopicPartition, OpenTransaction> held_back;
  const auto note_held_back = [&](const TopicPartition& partition, const OpenTransaction& first) {
    held_back[partition] = first;
  };
  if (options.skip_damage) tail.skip_damage = [&skipped](const SkippedDamage& damage) { skipped.push_back(damage); };
  for (int64_t back = count;; back = back > INT64_MAX / 4 ? INT64_MAX : 4 * back) {
    skipped.clear();
    tail.from = {Place::Kind::before_end, back};
    PG_ASSIGN(const auto consumer, LocalConsumer::open(home, tail, note_held_back));
    PG_ASSIGN(auto records, last_of_each(*consumer, count, wanted));
    const bool enough = std::cmp_equal(records.size(), consumer->source_count()) &&
                        std::all_of(records.begin(), records.end(),
                                    [&](const auto& last) { return std::cmp_equal(last.second.size(), count); });
    if (count > 0 && !enough && !consumer->from_start()) continue;
    for (const auto& damage : skipped) {
      // What lies before the records that are enough is none of the caller's business.
      const auto& last = records[damage.partition];
      if (std::cmp_less(last.size(), count) || last.front().offset() < damage.from) options.skip_damage(damage);
    }
    for (const auto& [partition, first] : held_back)
      home.env().notice(held_back_text(partition, first, home.env().clock.wall_ms()));
    return newest_of(std::move(records), count);
  }
}

}  // namespace pg
