// Who a producer's name stands for in a topic: its row in __producer_ids, and the lock that says that it has one live
// user. The row is made when the name is first used.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/format/producer_name.h"
#include "core/store/home.h"
#include "core/store/log_table.h"

namespace pg {

class ProducerIdentity {
 public:
  // invalid_argument: it is empty or too long.
  static Result<> check_name(const std::string& name);

  // Takes the lock and reads the row. `logs`: of all partitions of `topic`. Errors: busy (another process has it, whose
  // id is named), conflict (the topic had another number of partitions), invalid_argument (the name).
  static Result<std::unique_ptr<ProducerIdentity>> claim(Home& home, const std::string& name,
                                                         const TopicMetadata& topic,
                                                         const std::vector<PartitionLog*>& logs, Deadline deadline);
  ~ProducerIdentity() { unlock(); }

  const ProducerNameRow& row() const { return row_; }
  // Whether the row was made by this claim: then nothing can be in the log.
  bool is_new() const { return is_new_; }

  // Raises the counts of all partitions; all those records are on stable storage.
  Result<> raise(const std::vector<int64_t>& counts, Deadline deadline);

 private:
  ProducerIdentity(Home& home, ProducerNameKey key, LogTable table)
      : home_(home), key_(std::move(key)), table_(std::move(table)) {}

  Result<ProducerNameRow> find_or_make(const TopicMetadata& topic, const std::vector<PartitionLog*>& logs,
                                       Deadline deadline);
  Result<> lock(int64_t producer_id);
  void unlock();
  std::string holder(int64_t producer_id) const;

  Home& home_;
  ProducerNameKey key_;
  LogTable table_;
  std::unique_ptr<LockFile> lock_file_;
  HeldLock lock_;
  int64_t locked_id_ = -1;
  ProducerNameRow row_;
  bool is_new_ = false;
};

}  // namespace pg
