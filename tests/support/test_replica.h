// One broker's replica of a partition "t-0", in a log directory of its own, for the tests of core/log and core/cluster.
//
// Logs are written as texts with a letter for each record, which is a batch of its own: "aab". The letter is the
// record's value, and stands for the epoch that it was written in; 'a' is epoch 0.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/test_log.h"

namespace pg {

inline LeaderEpoch epoch_of(char letter) { return LeaderEpoch(letter - 'a'); }

// What `log` holds from `from` to `end`: its log start and its end, if empty. '?' stands for a record with another
// epoch than its value says. "!" and a message: an error ended it.
std::string letters_of(PartitionLog& log, std::optional<Offset> from = {}, std::optional<Offset> end = {});

class TestReplica {
 public:
  // An empty one, with no role yet.
  TestReplica(TestEnv& env, int32_t broker, const LogConfig& config = tiny_segments());

  // A handle of its own, as another process would have.
  std::unique_ptr<PartitionLog> open(Access access = Access::read_write) const;
  PartitionLog& operator*() { return *log_; }
  PartitionLog* operator->() { return log_.get(); }
  StatePage& page() { return log_->current_state()->page(); }
  LogPosition position() { return log_->current_state()->position(); }
  void close() { log_.reset(); }
  void reopen();

  // Becomes the leader of the letter's epoch, with these in sync.
  void lead(char letter, const std::vector<BrokerId>& in_sync, int32_t min_in_sync = 1);
  Result<> try_lead(char letter, const std::vector<BrokerId>& in_sync, int32_t min_in_sync = 1);
  // Appends as a producer would.
  Result<Appended> try_write(char letter);
  void write(std::string_view letters);

  void follow(char letter) { must(log_->follow(epoch_of(letter), env.soon())); }
  // Appends what comes from a leader that has the same log up to here, in the epoch that is followed.
  Result<> try_receive(char letter);
  void receive(std::string_view letters);
  // follow() in the epoch of the last one, and receive().
  void fill(std::string_view letters);

  std::string text() { return letters_of(*log_); }
  // "0@0 2@17": epochs and where they begin, as the file says.
  std::string epochs() const;
  Offset recovery_point() const;
  std::vector<Offset> segments() const;
  std::string directory() const;

  TestEnv& env;
  const BrokerId broker;
  bool broker_lives = true;

 private:
  const std::string log_directory_;
  const Uuid id_;
  const LogConfig config_;
  std::unique_ptr<PartitionLog> log_;
};

}  // namespace pg
