#include "core/store/log_table.h"

#include "core/log/log_reader.h"

namespace pg {
namespace {

// A row may be larger than other records: that of a producer's name has a field for each partition.
const ConfigMap kTableConfig = {{"cleanup.policy", "compact"}, {"max.message.bytes", "2097152"}};

// Takes in the records of [next, end): the last one of `key` is the row.
Result<> read_row(PartitionLog& log, std::string_view key, Offset& next, Offset end, std::optional<std::string>& row) {
  LogReader reader(log, next);
  Decompressor decompressor;
  for (;;) {
    PG_ASSIGN(const auto batch, reader.next(end));
    if (!batch) break;
    PG_ASSIGN(auto records, RecordCursor::begin(batch->bytes, batch->header, decompressor));
    RecordView record;
    for (;;) {
      PG_ASSIGN(const bool more, records.next(record));
      if (!more) break;
      if (record.key != key) continue;
      row.reset();
      if (record.value) row = std::string(*record.value);
    }
  }
  next = end;
  return {};
}

}  // namespace

Result<LogTable> LogTable::open(Home& home, const std::string& name, Deadline deadline) {
  auto topic = home.describe_topic(name);
  while (!topic && topic.error().code == Errc::not_found) {
    topic = home.create_topic(name, 1, kTableConfig, deadline);
    if (!topic && topic.error().code == Errc::already_exists) topic = home.describe_topic(name);
  }
  PG_CHECK(topic);
  PG_ASSIGN(auto log, home.open_partition(*topic, PartitionId(0), Access::read_write, deadline));
  return LogTable(home.env(), std::move(log));
}

Result<std::optional<std::string>> LogTable::change(std::string_view key, const Decide& decide, Deadline deadline) {
  std::optional<std::string> row;
  Offset next;
  for (bool first = true;; first = false) {
    PG_ASSIGN(const auto state, log_->state(deadline));
    const LeaderEpoch epoch(state->page().leader_epoch.load(std::memory_order_relaxed));
    const LogPosition position = state->position();
    if (first) next = position.log_start;
    PG_CHECK(read_row(*log_, key, next, position.log_end, row));
    PG_ASSIGN(auto decided, decide(row));
    if (decided) {
      PG_ASSIGN(const bool appended, append(key, *decided, {position.log_end, epoch}, deadline));
      if (!appended) continue;
    }
    PG_CHECK(log_->flush(deadline));
    return decided ? std::move(decided) : std::move(row);
  }
}

Result<bool> LogTable::append(std::string_view key, std::string_view value, const LogEnd& seen, Deadline deadline) {
  BatchBuilder batch;
  if (!batch.add({.key = key, .value = value}, env_.clock.wall_ms(), static_cast<size_t>(kBatchBytesMax))) {
    return fail(Errc::limit, "a row is too large for its table", log_->directory());
  }
  PG_ASSIGN(const auto appended, log_->append_if(seen, batch.finish(), deadline));
  return appended.has_value();
}

}  // namespace pg
