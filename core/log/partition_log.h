// One partition on one disk: any number of processes append to it and read it at once.
//
// append() and flush() are here; reading is in log_reader.h. The parts: partition_log.cc opens and creates,
// log_append.cc appends and rolls, log_trust.cc compares the state page with the files, log_flush.cc flushes,
// log_trim.cc deletes from the start, log_replica.cc is what a broker does to its replica. All may be called from
// several threads. What is written is visible to every reader at once, and survives the death of every process; it
// survives a power cut once flushed.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/limits.h"
#include "core/format/checkpoint_text.h"
#include "core/format/record_batch.h"
#include "core/log/log_directory.h"
#include "core/log/page_check.h"
#include "core/log/partition_state.h"
#include "core/log/segment_files.h"

namespace pg {

// The topic configs that a log obeys; names, meaning and defaults are Kafka's.
struct LogConfig {
  int32_t segment_bytes = 1 << 30;
  int64_t segment_ms = int64_t{7} * 24 * 60 * 60 * 1000;
  int32_t max_message_bytes = kMaxMessageBytesDefault;
  int32_t index_interval_bytes = 4096;
  int64_t flush_messages = std::numeric_limits<int64_t>::max();  // unflushed records that make an append flush them
  int64_t flush_ms = std::numeric_limits<int64_t>::max();        // how long a producer leaves records unflushed
  TimestampType timestamp_type = TimestampType::create;
  std::optional<Codec> compression = {};  // what producers must use; empty: what they like

  bool cleanup_delete = true;  // cleanup.policy
  bool cleanup_compact = false;
  int64_t retention_ms = -1;     // -1: for ever, unlike in Kafka: nothing is deleted that nobody asked to delete
  int64_t retention_bytes = -1;  // -1: any size
  int64_t file_delete_delay_ms = 60'000;
  int64_t delete_retention_ms = int64_t{24} * 60 * 60 * 1000;
  int64_t min_compaction_lag_ms = 0;
  int64_t max_compaction_lag_ms = std::numeric_limits<int64_t>::max();
  double min_cleanable_dirty_ratio = 0.5;

  int32_t min_in_sync_replicas = 1;  // with fewer in sync nothing is committed; only with more than one replica

  bool operator==(const LogConfig&) const = default;
  bool may_delete() const { return cleanup_delete && (retention_ms >= 0 || retention_bytes >= 0); }
};

struct RecoverySpec;  // log_recovery.h

struct Appended {
  Offset base_offset;
  Offset end_offset;
  LeaderEpoch leader_epoch;
  // Why it is not on stable storage although the topic's flush.messages asks for that. It is in the log nevertheless.
  std::optional<Error> not_flushed = {};
};

// What a conditional append depends on.
struct LogEnd {
  Offset log_end;
  LeaderEpoch leader_epoch;
  bool operator==(const LogEnd&) const = default;
};

// What a replica becomes the leader with.
struct Leadership {
  LeaderEpoch epoch;
  BrokerId leader;
  std::vector<BrokerId> replicas, in_sync;
  int32_t min_in_sync = 1;
};

// What a partition is made as.
struct NewPartition {
  bool replicated = false;  // more than one broker has it
  bool unclean = false;     // and this replica takes the place of one that was lost
};

struct VersionedConfig {
  LogConfig config;
  int64_t version = 0;
};

class PartitionLog {
 public:
  struct Spec {
    std::string log_directory;
    TopicPartition partition;
    Uuid topic_id;  // a partition that now belongs to another topic of the same name is not_found
    LogConfig config = {};
    Access access = Access::read_write;
    int64_t config_version = 0;  // of the topic's metadata that `config` comes from
    // Reads them again. Empty: they never change.
    std::function<Result<VersionedConfig>()> read_config = {};
    bool replicated = false;  // more than one broker has it; then one of them must say who leads
    // Of a replicated one: whether the leader's broker lives. Nobody else may append then.
    std::function<Result<bool>()> is_broker_alive = {};
  };

  // Makes the directory of an empty partition, durably, under a name of its own, and then gives it its name. If there
  // is one already, that one stays and its topic id is returned: whoever came first has decided it.
  static Result<Uuid> create(const Env& env, const std::string& log_directory, const TopicPartition& partition,
                             const Uuid& topic_id, const NewPartition& making = {});

  // Opens, and recovers where the state page cannot be trusted. Errors: not_found, busy, timed_out, corrupt.
  static Result<std::unique_ptr<PartitionLog>> open(const Env& env, Spec spec, Deadline deadline);

  // Marks the partition deleted for all processes that have it open, wakes them, renames and removes the directory.
  // Works on a damaged partition too. not_found: it is gone, or belongs to another topic by now.
  static Result<> remove(const Env& env, Spec spec, Deadline deadline);

  // What recovery of this partition begins with.
  static Result<RecoverySpec> recovery_spec(const Env& env, const Spec& spec);

  // Appends one encoded batch; stamps its base offset and leader epoch (and times, for LogAppendTime) in place.
  // Written and visible on return, and flushed where flush.messages says so; if that fails, it is written all the same.
  // All of it or nothing. Errors: limit (larger than max.message.bytes),
  // no_space, not_found (deleted), fenced, not_leader, timed_out (the message names who holds the lock), interrupted,
  // io.
  Result<Appended> append(MutableBytes batch, Deadline deadline);

  // The same, but only if the log still ends where the caller saw it end, in the epoch it saw: otherwise empty, nothing
  // was written, and the caller reads what is new and decides again. This is how tables are kept in logs.
  Result<std::optional<Appended>> append_if(const LogEnd& seen, MutableBytes batch, Deadline deadline);

  // Returns once everything that was written before the call is on stable storage; the offset up to which that holds.
  // One flush serves all processes that wait for one. A failure is final: the partition takes no more writes.
  Result<Offset> flush(Deadline deadline);

  // Makes `offset` the first one of the log, unless its first one is higher: durably, and then for everybody. Records
  // below can no longer be asked for; delete_old_segments() gives their space back. out_of_range: above the high
  // watermark.
  Result<> raise_log_start(Offset offset, Deadline deadline);

  // Begins a new segment, unless the active one is empty, so that the one before can be deleted or compacted.
  Result<> roll_active(Deadline deadline);

  struct Removed {
    int64_t segments = 0;
    int64_t bytes = 0;
  };
  // Takes the segments that lie wholly below the log's start out of the list, and unlinks the files of those that were
  // taken out longer ago than `unlink_delay`. timed_out: somebody keeps the list as it is.
  Result<Removed> delete_old_segments(std::chrono::milliseconds unlink_delay, Deadline deadline);

  // Only with more than one replica; what the broker does that has this one. See log_replica.cc.
  //
  // From now on this replica follows the leader of `epoch`, and nobody appends to it but append_replicated(). fenced:
  // it has heard of a later epoch.
  Result<> follow(LeaderEpoch epoch, Deadline deadline);
  // Cuts the log at `end`, where a batch ends. conflict: that would cut committed records, and not even
  // `committed_too`.
  Result<> truncate_to(Offset end, bool committed_too, Deadline deadline);
  // Empties the log; it goes on at `start`.
  Result<> restart_at(Offset start, Deadline deadline);
  // Appends a batch of the leader's as it is. conflict: it does not begin where this log ends, and the page does not
  // say that a gap may be there; fenced: this replica does not follow in `epoch`.
  Result<> append_replicated(ByteView batch, LeaderEpoch epoch, Deadline deadline);
  // Opens an epoch as its leader. fenced: there is a later one, or this one was opened already.
  Result<> lead(const Leadership& leadership, Deadline deadline);
  // Takes over the first offset that the leader has.
  Result<> follow_log_start(Offset offset, Deadline deadline);
  // Returns once every append that had begun is over.
  Result<> await_appends(Deadline deadline);
  // Which epochs began where, as follow(), lead() and what came after them left it.
  const EpochHistory& epochs() const { return epochs_; }

  // Has every replica in sync bring what lies below `end` to stable storage; waits for nobody.
  void ask_flush(Offset end);
  // Waits until every replica in sync has what was appended, with `flushed` on stable storage. fenced: another leader
  // was elected, and nothing is known of those records; timed_out.
  Result<> wait_committed(const Appended& appended, bool flushed, Deadline deadline);

  // The state page, opened again first if it was replaced, or if the files are seen to contradict it.
  Result<std::shared_ptr<PartitionState>> state(Deadline deadline);
  // The same without looking whether it was replaced: for the hot path of readers.
  std::shared_ptr<PartitionState> current_state() const;
  // How often state() has opened a state page. The log may be another one after each opening.
  int64_t openings() const { return openings_.load(std::memory_order_relaxed); }

  const std::string& name() const { return name_; }
  const std::string& directory() const { return directory_; }
  const Spec& spec() const { return spec_; }

  // The topic's configs as this log obeys them. Changed ones are noticed by the next append, and at the next roll at
  // the latest: one word in the page tells, so that looking costs nothing.
  LogConfig config() const;
  // Says to everybody who has the partition open that metadata `version` has other configs.
  void announce_config(PartitionState& state, int64_t version) const;
  const Env& env() const { return env_; }
  // Whether this process has not yet said that `segment` keeps others from being deleted; true once for each segment in
  // a row.
  bool says_first(Offset segment) { return said_.exchange(segment.value) != segment.value; }

 private:
  // The append lock, the state it belongs to, and a position whose files were checked against it.
  struct Writing {
    std::shared_ptr<PartitionState> state;
    HeldLock lock;
    LogPosition position;
  };

  PartitionLog(const Env& env, Spec spec);
  Result<> check_directory() const;
  Result<std::shared_ptr<PartitionState>> open_state(Deadline deadline);
  Result<> correct_checkpoints(const RecoverySpec& recovery, const PageContent& content, Deadline deadline) const;
  Result<> remove_directory() const;

  Result<std::optional<Appended>> append_unless_moved(const LogEnd* seen, MutableBytes batch, Deadline deadline);
  Result<Appended> append_holding_lock(Writing& writing, MutableBytes batch, const BatchHeader& header,
                                       const LogConfig& config);
  // The first for who leads, the second for the replica's broker.
  Result<Writing> begin_append(Deadline deadline);
  Result<Writing> begin_write(Deadline deadline);
  Result<Writing> lock_for_writing(bool must_lead, Deadline deadline);
  Result<> write_batch(Writing& writing, ByteView batch, const BatchHeader& header, int64_t max_timestamp_ms,
                       const LogConfig& config);
  void publish_written(PartitionState& state, LogPosition& position, const BatchHeader& header,
                       int64_t max_timestamp_ms, const LogConfig& config);
  Result<> set_log_start(Offset offset, bool must_lead, Deadline deadline);
  Result<> pass_gap(Writing& writing, Offset next, Deadline deadline);
  Result<LogPosition> position_at(Offset end, const LogPosition& now);
  Result<> replace_end(Writing& writing, const LogPosition& kept, Deadline deadline);
  Result<> store_epochs(EpochHistory epochs);
  Result<> check_may_append(const PartitionState& state) const;
  // See log_trust.cc.
  Result<bool> is_borne_out(PartitionState& state);
  Result<bool> is_borne_out_alone(PartitionState& state);
  bool is_due_for_a_look();
  Result<bool> settle_end(PartitionState& state, LogPosition& position);
  void distrust(PartitionState& state, const std::string& why);
  Result<bool> clear_unfinished_roll(PartitionState& state, const LogPosition& position);
  Result<> finish_cut(PartitionState& state, const LogPosition& position);
  Result<bool> open_active(PartitionState& state, LogPosition& position);
  Result<bool> is_published_file(StatePage& page);
  Result<bool> take_tail(PartitionState& state, LogPosition& position);
  PartitionFiles files() const { return {directory_, spec_.log_directory, spec_.partition}; }
  Result<> roll(Writing& writing);
  void raise_recovery_point(const PartitionState& state, Offset flushed);
  Result<> refresh_config(bool in_any_case);
  void retain(PartitionState& state);
  Result<bool> has_segments_below(Offset offset) const;
  bool must_roll(const LogPosition& position, const BatchHeader& header, int64_t max_timestamp_ms,
                 const LogConfig& config) const;
  Error explain_lock_failure(Error error) const;

  Result<Offset> flush_holding_lock(PartitionState& state);
  Result<> sync_segments(PartitionState& state, Offset from, const LogPosition& end, bool rewrite);
  Result<> open_for_sync(Offset base);
  Result<> check_not_failed(const PartitionState& state) const;

  Env env_;
  Spec spec_;
  std::string name_;
  std::string directory_;
  ProcessInfo process_;
  mutable std::mutex state_mutex_;  // guards state_, looked_, config_ and config_version_
  std::shared_ptr<PartitionState> state_;
  Deadline looked_ = {};  // when the files were last compared with the page
  std::atomic<int64_t> openings_ = 0;
  LogConfig config_;
  int64_t config_version_;
  ActiveSegment active_;           // guarded by the append lock
  EpochHistory epochs_;            // of a replicated log's broker
  Offset gaps_stored_;             // the `gaps_below` that this broker has stored in the checkpoint
  std::atomic<int64_t> said_{-1};  // see says_first()
  // The segment that was synced last; guarded by the flush lock.
  std::unique_ptr<File> sync_file_;
  Offset sync_base_;
};

}  // namespace pg
