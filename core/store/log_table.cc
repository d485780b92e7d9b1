#include "core/store/log_table.h"

#include "core/log/compaction.h"
#include "core/log/log_reader.h"
#include "core/log/retention.h"
#include "core/store/leader.h"

namespace pg {
namespace {

// A row may be larger than other records: that of a producer's name has a field for each partition. Segments are small,
// so that there is something to compact before reading the table takes a while.
const ConfigMap kTableConfig = {{"cleanup.policy", "compact"}, {"max.message.bytes", "2097152"}, {"segment.bytes", "262144"}};

}  // namespace

Result<LogTable> LogTable::open(Home& home, const std::string& name, Deadline deadline) {
  auto topic = home.describe_topic(name);
  while (!topic && topic.error().code == Errc::not_found) {
    topic = home.create_topic(name, 1, kTableConfig, deadline);
    if (!topic && topic.error().code == Errc::already_exists) topic = home.describe_topic(name);
  }
  PG_CHECK(topic);
  LogTable table(home, std::move(*topic));
  PG_CHECK(table.find_leader(deadline));
  const LogPosition position = table.log_->current_state()->position();
  table.next_ = position.log_start;
  table.active_ = position.active_segment;
  return table;
}

Result<> LogTable::find_leader(Deadline deadline) {
  log_.reset();  // as long as it is open, its state cannot be made anew
  PG_ASSIGN(log_, open_leader(*home_, topic_, PartitionId(0), deadline));
  return {};
}

// False: another leader was elected, which is the one to ask from now on.
Result<bool> LogTable::is_durable(const Appended& upto, Deadline deadline) {
  const auto done = make_durable(*log_, upto, deadline);
  if (done) return true;
  if (!may_be_led_elsewhere(done.error()) || env_.clock.now() >= deadline) return tl::unexpected(done.error());
  PG_CHECK(find_leader(deadline));
  return false;
}

Result<> LogTable::catch_up(const Visit& visit, Deadline deadline) {
  for (;;) {
    if (!log_) PG_CHECK(find_leader(deadline));
    const auto opened = log_->state(deadline);
    if (!opened && log_->spec().replicated && may_be_led_elsewhere(opened.error()) && env_.clock.now() < deadline) {
      PG_CHECK(find_leader(deadline));
      continue;
    }
    PG_ASSIGN(const auto state, opened);
    seen_ = {state->position().log_end, state->leader_epoch()};
    if (!log_->spec().replicated) break;
    // What a change of leaders could take back must not be seen by anybody.
    PG_ASSIGN(const bool durable, is_durable({next_, seen_.log_end, seen_.leader_epoch}, deadline));
    if (durable) break;
  }
  if (next_ >= seen_.log_end) return {};
  LogReader reader(*log_, next_);
  Decompressor decompressor;
  for (;;) {
    PG_ASSIGN(const auto batch, reader.next(seen_.log_end));
    if (!batch) break;
    if (batch->header.is_control()) continue;
    PG_ASSIGN(auto records, RecordCursor::begin(batch->bytes, batch->header, decompressor));
    RecordView record;
    for (;;) {
      PG_ASSIGN(const bool more, records.next(record));
      if (!more) break;
      if (record.key && record.offset >= next_) PG_CHECK(visit(*record.key, record.value));
    }
  }
  next_ = seen_.log_end;
  return {};
}

Result<bool> LogTable::append(const std::vector<TableRow>& rows, Deadline deadline) {
  BatchBuilder batch;
  for (const auto& row : rows) {
    if (!batch.add({.key = row.key, .value = row.value}, env_.clock.wall_ms(), static_cast<size_t>(kBatchBytesMax))) {
      return fail(Errc::limit, "a row is too large for its table", log_->directory());
    }
  }
  if (!log_) {
    PG_CHECK(find_leader(deadline));
    return false;
  }
  const auto appended = log_->append_if(seen_, batch.finish(), deadline);
  if (!appended && log_->spec().replicated && may_be_led_elsewhere(appended.error())) {
    PG_CHECK(find_leader(deadline));
    return false;
  }
  PG_CHECK(appended);
  if (!*appended) return false;
  compact(deadline);
  // Whether an election took it back is known only now.
  return log_->spec().replicated ? is_durable(**appended, deadline) : Result<bool>(true);
}

// Best effort: what was appended stands, and the next one to begin a segment tries again.
void LogTable::compact(Deadline deadline) {
  const auto state = log_->current_state();
  const Offset active = state->position().active_segment;
  const bool rolled = std::exchange(active_, active) != active;
  const auto now_ms = rolled ? believed_wall_ms(env_, state->page()) : std::nullopt;
  if (!now_ms || !compact_log(*log_, *now_ms, deadline)) return;
  (void)log_->delete_old_segments(std::chrono::milliseconds(log_->config().file_delete_delay_ms), deadline);
}

Result<> LogTable::flush(Deadline deadline) {
  if (!log_ || log_->spec().replicated) return {};  // append() and catch_up() have seen to it
  return log_->flush(deadline).map([](Offset) {});
}

Result<std::optional<std::string>> LogTable::change(std::string_view key, const Decide& decide, Deadline deadline) {
  std::optional<std::string> row;
  const auto take = [&](std::string_view found, std::optional<std::string_view> value) -> Result<> {
    if (found == key) row = value ? std::optional<std::string>(*value) : std::nullopt;
    return {};
  };
  if (!log_) PG_CHECK(find_leader(deadline));
  next_ = log_->current_state()->position().log_start;
  for (;;) {
    PG_CHECK(catch_up(take, deadline));
    PG_ASSIGN(auto decided, decide(row));
    if (decided) {
      PG_ASSIGN(const bool appended, append({{std::string(key), *decided}}, deadline));
      if (!appended) continue;
    }
    PG_CHECK(flush(deadline));
    return decided ? std::move(decided) : std::move(row);
  }
}

}  // namespace pg
