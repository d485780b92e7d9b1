// A partition for the tests of core/log, with short ways to write to it and to look at what it holds.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/format/path_names.h"
#include "core/log/log_reader.h"
#include "core/log/partition_log.h"
#include "tests/support/test_env.h"

namespace pg {

// One encoded batch, ready for PartitionLog::append. The records have no keys; each is a millisecond later than the one
// before it.
class TestBatch {
 public:
  explicit TestBatch(const std::vector<std::string>& values, int64_t timestamp_ms = 1000);
  MutableBytes bytes(const ProducerStamp& producer = {}) { return builder_.finish(nullptr, producer); }

 private:
  BatchBuilder builder_;
};

// An empty partition "t-0" below env.root().
class TestPartition {
 public:
  explicit TestPartition(TestEnv& env, const LogConfig& config = {});

  PartitionLog::Spec spec(Access access = Access::read_write) const;
  // A handle of its own, as another process would have.
  std::unique_ptr<PartitionLog> open(Access access = Access::read_write) const;
  Result<std::unique_ptr<PartitionLog>> try_open(Access access = Access::read_write,
                                                 Duration patience = std::chrono::seconds(30)) const;

  Result<> remove() const;

  std::string directory() const;
  std::string log_file(int64_t base = 0) const;
  std::string offset_index(int64_t base = 0) const;
  std::string time_index(int64_t base = 0) const;
  std::string page_file() const;
  std::string torn_file(int64_t base, int n) const;
  // Names in the partition's directory that end with `suffix`, sorted and joined by blanks.
  std::string files_ending(const std::string& suffix) const;

  void set_recovery_point(int64_t offset) const;

  TestEnv& env;
  Uuid id;
  LogConfig config;
};

// Segments that hold a handful of small batches, and an index entry for every second batch or so.
LogConfig tiny_segments();

Result<Appended> try_append(PartitionLog& log, const std::vector<std::string>& values, int64_t timestamp_ms = 1000);
// The base offset.
Offset append(PartitionLog& log, const std::vector<std::string>& values, int64_t timestamp_ms = 1000);
// `count` batches of one record each, whose value is its offset in decimal. The log must end at `from`.
void append_numbers(PartitionLog& log, int64_t from, int64_t count);

// What a reader sees from `from` to the end of the log: "0:a 1:b 2:c". An error ends it: "0:a !corrupt".
std::string contents(PartitionLog& log, int64_t from = 0);
// "from:from … end-1:end-1", as append_numbers writes it.
std::string numbers(int64_t from, int64_t end);

// Runs verify_log: one line per fault, without the folder: "00000000000000000000.log:0 offset 0: reason".
std::string faults_of(PartitionLog& log);

}  // namespace pg
