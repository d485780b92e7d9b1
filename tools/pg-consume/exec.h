// --exec: runs a command for each record, and knows how far each partition is done. One thread: it reads records,
// starts commands, feeds them, and hears how they ended. Which record may start, and what follows from an end, is
// decided by tools/pg-consume/delivery.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/os/child_process.h"
#include "tools/pg-consume/batch_source.h"
#include "tools/pg-consume/options.h"

namespace pg {

inline constexpr Duration kAttendInterval = std::chrono::milliseconds(100);

class Exec {
 public:
  using DamageNote = std::function<void(const SkippedDamage&)>;
  // Opens the topic of --dlq. From now on stop signals are caught.
  static Result<std::unique_ptr<Exec>> open(const Tool& tool, const ConsumeOptions& options, Cluster& cluster,
                                            const std::vector<std::string>& topics, DamageNote note_damage);

  // A record that run() is to begin with.
  void add(OwnedRecord record);

  // Until everything is read and done, or a stop signal comes. Whatever happens, it waits for the commands that run,
  // and the source is told how far each partition is done; to finish() it is the caller's. A second stop signal kills
  // the commands and ends the process. Errors: io (a command failed for the last time), and those of the source, which
  // come after the commands for what was read before.
  Result<ExitCode> run(BatchSource& source);

  // The partition is given up: starts nothing more of it, waits for what runs, tells the source how far it is done, and
  // forgets it. For the source, from within poll() and attend().
  Result<> release(const TopicPartition& partition);

  int64_t records_taken() const { return taken_; }

 private:
  // How an attempt ended.
  struct Outcome {
    Delivery::Attempt attempt;
    std::string text;    // "exit status 3"
    std::string status;  // "3", for the header
    std::string errors;  // what it said last
  };

  Exec(const Tool& tool, const ConsumeOptions& options, DamageNote note_damage);

  void look_for_stop();
  void read_more();
  Deadline read_deadline();
  Result<bool> take_batch(const ConsumedBatch& fetched);
  Result<> take_records(const ConsumedBatch& fetched, Offset& next);
  Result<> attend();
  void start_commands();
  ChildCommand command_for(const DeliveryJob& job) const;
  std::vector<std::string> environment_for(const DeliveryJob& job) const;
  Result<> wait_for_command(Duration longest);
  void conclude(uint64_t id, const Outcome& outcome);
  void bury(const DeliveryJob& job, const Outcome& outcome);
  Result<> send_dead_letters(const DeliveryJob& job, const Outcome& outcome);
  void tell_done(const TopicPartition& partition);
  void keep_error(Error error);
  bool is_done() const { return (read_all_ || delivery_.stopped()) && delivery_.is_idle(); }
  Result<ExitCode> end();

  Clock& clock() const { return tool_.env().clock; }

  const Tool& tool_;
  const ConsumeOptions& options_;
  DamageNote note_damage_;
  std::vector<std::string> environment_;  // ours, without the variables that commands are told
  Delivery delivery_;
  ChildProcesses children_;
  std::unique_ptr<Producer> dead_letters_;
  BatchSource* source_ = nullptr;
  std::map<TopicPartition, Offset> told_;  // what the source was told last
  int64_t taken_ = 0;
  bool read_all_ = false;
  std::optional<Deadline> quiet_until_;  // set while a follower that was given a time has nothing to do
  std::optional<Error> error_;           // the first one
};

}  // namespace pg
