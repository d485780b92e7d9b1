#include "core/store/log_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/log/compaction.h"
#include "core/log/retention.h"
#include "core/store/find_or_create.h"

namespace pg {
namespace {

// A row may be larger than other records: that of a producer's name has a field for each partition. Segments are small,
// so that there is something to compact before reading the table takes a while.
const ConfigMap kTableConfig = {
    {"cleanup.policy", "compact"}, {"max.message.bytes", "2097152"}, {"segment.bytes", "262144"}};

}  // namespace

const ConfigMap& table_config() { return kTableConfig; }

Result<LogTable> LogTable::open(Home& home, const std::string& name, Deadline deadline) {
  PG_ASSIGN(TopicMetadata topic, find_or_create_topic(home, name, kTableConfig, deadline));
  LogTable table(home, std::move(topic));
  PG_CHECK(table.find_leader(deadline));
  const LogPosition position = table.log_->current_state()->position();
  table.next_ = position.log_start;
  table.active_ = position.active_segment;
  table.epochs_.begin(*table.log_);
  return table;
}

Result<> LogTable::find_leader(Deadline deadline) {
  log_.reset();  // as long as it is open, its state cannot be made anew
  epochs_.move();
  PG_ASSIGN(log_, open_leader(*home_, topic_, PartitionId(0), deadline));
  return {};
}

// After an error of the log at hand: that one, unless another replica may lead soon.
Result<> LogTable::leave_log(const Error& error, Deadline deadline) {
  if (!log_->spec().replicated) return tl::unexpected(error);
  note_fault(*log_, error);
  if (!patience_.allows(env_.clock, error, deadline)) return tl::unexpected(out_of_patience(error));
  log_.reset();
  return {};
}

Result<> LogTable::catch_up(const Visit& visit, const Forget& forget, Deadline deadline) {
  for (;;) {
    if (!log_) PG_CHECK(find_leader(deadline));
    std::optional<Error> of_log;
    const auto again = see_end(deadline).and_then([this] { return must_begin_again(); });
    if (again && *again) {
      restart();
      forget();
      continue;
    }
    if (again)
      PG_CHECK(visit_new(visit, of_log));
    else
      of_log = again.error();
    if (!of_log) return {};
    PG_CHECK(leave_log(*of_log, deadline));
  }
}

// What a change of leaders could take back must not be seen by anybody.
Result<> LogTable::see_end(Deadline deadline) {
  PG_ASSIGN(const auto state, log_->state(deadline));
  const LogPosition position = state->position();
  next_ = std::max(next_, position.log_start);
  seen_ = {position.log_end, state->leader_epoch()};
  if (!log_->spec().replicated) return {};
  return make_durable(*log_, {next_, seen_.log_end, seen_.leader_epoch}, deadline);
}

// Whether rows that were visited may be wrong, because the log has lost or compacted some of them.
Result<bool> LogTable::must_begin_again() {
  const auto state = log_->current_state();
  if (!state) return fail(Errc::fenced, fmt::format("the state of '{}' was replaced", log_->name()));
  if (next_ <= state->position().log_start) {
    epochs_.begin(*log_);
    return false;
  }
  if (has_fallen_behind()) return true;
  if (!epochs_.is_due(*log_, *state)) return false;
  PG_ASSIGN(const Offset shared, epochs_.compare(*log_, next_));
  return shared < next_;
}

// `of_log`: an error in reading, of which another replica may know nothing. A record that was read and makes no sense
// is the same everywhere.
Result<> LogTable::visit_new(const Visit& visit, std::optional<Error>& of_log) {
  LogReader reader(*log_, next_);
  Decompressor decompressor;
  while (next_ < seen_.log_end) {
    const auto batch = reader.next(seen_.log_end);
    if (!batch) {
      of_log = batch.error();
      return {};
    }
    if (epochs_.is_due((*batch)->header)) {
      of_log = Error{Errc::fenced, fmt::format("the leader of '{}' changed", log_->name()), {}, {}, 0};
      return {};
    }
    PG_CHECK(visit_batch(**batch, decompressor, visit));
    epochs_.read((*batch)->header, next_);
    next_ = reader.next_offset();
  }
  return {};
}

Result<> LogTable::visit_batch(const ScannedBatch& batch, Decompressor& decompressor, const Visit& visit) {
  if (batch.header.is_control()) return {};
  PG_ASSIGN(auto records, RecordCursor::begin(batch.bytes, batch.header, decompressor));
  RecordView record;
  for (;;) {
    PG_ASSIGN(const bool more, records.next(record));
    if (!more) return {};
    if (record.key && record.offset >= next_) PG_CHECK(visit(*record.key, record.value));
  }
}

// The segment that is appended to is not compacted, so what was read in it stays, and nothing behind it is missed.
Result<std::optional<TablePlace>> LogTable::place_at(Offset end) {
  if (!log_ || end <= log_->current_state()->position().active_segment || end > seen_.log_end) return std::nullopt;
  LogReader reader(*log_, end + -1);
  PG_ASSIGN(const auto batch, reader.next(end));
  if (!batch || batch->header.end_offset() != end) return std::nullopt;
  return TablePlace{topic_.id, end, batch->header.leader_epoch, batch->header.crc};
}

Result<std::optional<TablePlace>> LogTable::place() { return place_at(next_); }

bool LogTable::resume(const TablePlace& place, Deadline deadline) {
  // catch_up() says what is wrong with this log, if anything is.
  if (!log_ || place.topic != topic_.id || !see_end(deadline)) return false;
  epochs_.begin(*log_);
  const auto there = place_at(place.next);
  if (!there || !*there || **there != place) return false;
  next_ = place.next;
  return true;
}

bool LogTable::has_fallen_behind() const { return log_ && next_ < log_->current_state()->position().active_segment; }

void LogTable::restart() {
  next_ = Offset(0);
  if (log_) epochs_.begin(*log_);
}

Result<bool> LogTable::append(const std::vector<TableRow>& rows, Deadline deadline) {
  BatchBuilder batch;
  for (const auto& row : rows) {
    if (!batch.add({.key = row.key, .value = row.value}, env_.clock.wall_ms(), static_cast<size_t>(kBatchBytesMax))) {
      return fail(Errc::limit, fmt::format("a row is too large for '{}'", topic_.name));
    }
  }
  if (!log_) return false;
  const auto appended = log_->append_if(seen_, batch.finish(), deadline);
  if (!appended) {
    PG_CHECK(leave_log(appended.error(), deadline));
    return false;
  }
  if (!*appended) return false;
  compact(deadline);
  if (!log_->spec().replicated) return true;
  // Whether an election took it back is known only now.
  const auto durable = make_durable(*log_, **appended, deadline);
  if (!durable) PG_CHECK(leave_log(durable.error(), deadline));
  return durable.has_value();
}

// Best effort: what was appended stands, and the next one to begin a segment tries again.
void LogTable::compact(Deadline deadline) {
  const auto state = log_->current_state();
  if (!state) return;
  const Offset active = state->position().active_segment;
  const bool rolled = std::exchange(active_, active) != active;
  const auto now_ms = rolled ? believed_wall_ms(env_, state->page()) : std::nullopt;
  if (rolled && !now_ms) env_.notice(clock_notice(log_->name()));
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
  StopPatience stop;
  restart();
  for (;;) {
    PG_CHECK(catch_up(
        take, [&row] { row.reset(); }, deadline));
    PG_ASSIGN(auto decided, decide(row));
    if (decided) {
      PG_ASSIGN(const bool appended, append({{std::string(key), *decided}}, deadline));
      if (!appended) {
        if (env_.clock.now() >= deadline)
          return fail(Errc::timed_out,
                      fmt::format("others change '{}' all the time, and were always first", topic_.name));
        if (stop.is_over(env_.clock)) return fail(Errc::interrupted, "interrupted while others were first");
        continue;
      }
    }
    PG_CHECK(flush(deadline));
    return decided ? std::move(decided) : std::move(row);
  }
}

}  // namespace pg
