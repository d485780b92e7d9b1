// A table kept as a log: a record's key and value are a row, the last record of a key counts, null deletes it.
//
// It lives in partition 0 of an internal, compacted topic, which is made on first use. A change is decided on what the
// log holds up to its end and appended only if it still ends there, else decided again; it counts once it is on stable
// storage, and so does what is only read: a row that a power cut may take back is no base for anything. Whoever begins
// a new segment compacts those before it, so that reading a table takes as long as it has rows, not as it has changes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/format/record_batch.h"
#include "core/log/epoch_guard.h"
#include "core/log/log_reader.h"
#include "core/store/home.h"
#include "core/store/leader.h"

namespace pg {

// All tables. Records are not written to them by hand: one that cannot be read would stop everybody who needs the
// table.
inline constexpr const char* kProducerIdsTable = "__producer_ids";
inline constexpr const char* kConsumerOffsetsTable = "__consumer_offsets";
inline constexpr const char* kSchemasTable = "_schemas";
inline bool is_table(std::string_view topic) {
  return topic == kProducerIdsTable || topic == kConsumerOffsetsTable || topic == kSchemasTable;
}

const ConfigMap& table_config();

struct TableRow {
  std::string key;
  std::optional<std::string> value;  // none: the row goes
};

// Up to where a table was read: what was made of it may be kept, and reading go on from here.
struct TablePlace {
  Uuid topic{};
  Offset next;               // of the first record that was not read
  LeaderEpoch leader_epoch;  // of the batch before it
  uint32_t crc = 0;          // the same
  bool operator==(const TablePlace&) const = default;
};

class LogTable {
 public:
  // Borrows `home`.
  static Result<LogTable> open(Home& home, const std::string& topic, Deadline deadline);

  // Called with each record that was written since the last call, oldest first; at the first call, with all there are.
  // Its error is the call's; what it was called with since the batch began comes again then.
  using Visit = std::function<Result<>(std::string_view key, std::optional<std::string_view> value)>;
  // Called if visited rows may be wrong: an election or recovery has lost some of them, or compaction may have removed
  // deletions that were not visited yet. After it, catch_up() visits all rows again.
  using Forget = std::function<void()>;
  Result<> catch_up(const Visit& visit, const Forget& forget, Deadline deadline);

  // Where catch_up has left off. None: there is no telling it from another one later; there will be, with more rows.
  Result<std::optional<TablePlace>> place();
  // Goes on at a place, with no need to read what comes before. False: this log may not be the one that had it, or
  // compaction may have taken rows behind it: the table has to be read from its beginning.
  bool resume(const TablePlace& place, Deadline deadline);
  // Compaction may be about to take deletions that were not read yet: resume(), or read the table from its beginning.
  bool has_fallen_behind() const;
  void restart();

  // Appends the rows as one batch, if the table ends where catch_up left off. False: another process has appended
  // meanwhile; catch up and decide again, also where an election has made that unknown. An error may leave the rows
  // written all the same: what is decided again must recognise them.
  Result<bool> append(const std::vector<TableRow>& rows, Deadline deadline);

  // Everything that was read and appended is on stable storage.
  Result<> flush(Deadline deadline);

  // Called with the row's value; what it returns becomes the value, and empty leaves it as it is. May be called several
  // times.
  using Decide = std::function<Result<std::optional<std::string>>(const std::optional<std::string>& current)>;

  // Reads the table for one row. The row's value in the end, on stable storage. An error leaves unknown whether the
  // change was made: decide again. timed_out, interrupted: others were always first.
  Result<std::optional<std::string>> change(std::string_view key, const Decide& decide, Deadline deadline);

 private:
  LogTable(Home& home, TopicMetadata topic) : home_(&home), env_(home.env()), topic_(std::move(topic)) {}
  Result<> find_leader(Deadline deadline);
  Result<> leave_log(const Error& error, Deadline deadline);
  Result<> see_end(Deadline deadline);
  Result<bool> must_begin_again();
  Result<> visit_new(const Visit& visit, std::optional<Error>& of_log);
  Result<> visit_batch(const ScannedBatch& batch, Decompressor& decompressor, const Visit& visit);
  void compact(Deadline deadline);
  Result<std::optional<TablePlace>> place_at(Offset end);

  Home* home_;
  Env env_;
  TopicMetadata topic_;
  std::unique_ptr<PartitionLog> log_;  // null: the leader must be looked for
  LeaderPatience patience_;
  Offset next_;  // up to here the records were visited
  EpochGuard epochs_;
  LogEnd seen_{};  // of the last catch_up
  Offset active_;  // the segment that was active last
};

}  // namespace pg
