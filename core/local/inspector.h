// Looks into topics: dump and verify, which change nothing on the disk, and repair.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/format/index_entry.h"
#include "core/format/record_batch.h"
#include "core/log/batch_scanner.h"
#include "core/log/log_repair.h"
#include "core/log/log_verify.h"
#include "core/store/home.h"

namespace pg {

Result<VerifyTotals> verify_partition(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                      Deadline deadline, const std::function<void(const Fault&)>& report);

// Without `apply` nothing is changed. A partition whose directory is gone is made again, empty; its offsets are not
// used a second time, as far as the log directory's checkpoints still tell.
Result<RepairTotals> repair_partition(const Home& home, const TopicMetadata& topic, PartitionId partition, bool apply,
                                      Deadline deadline, const std::function<void(const RepairItem&)>& report);

struct DumpOptions {
  bool records = false;
  bool index = false;
};

struct DumpedBatch {
  ScannedBatch batch;
  bool crc_matches = false;
};

// What dump finds, in the order of the files. A member that is empty is not called.
struct DumpVisitor {
  std::function<void(const std::string& path, Offset base_offset, uint64_t size_bytes)> segment;
  std::function<void(const DumpedBatch&)> batch;
  std::function<void(const RecordView&)> record;
  std::function<void(const Fault&)>
      fault;  // what cannot be read; the dump goes on behind it where it finds its footing
  std::function<void(const std::string& path, uint64_t position, Offset, const OffsetIndexEntry&)> offset_entry;
  std::function<void(const std::string& path, uint64_t position, Offset, const TimeIndexEntry&)> time_entry;
};

struct OffsetRange {
  Offset start, end;
};
// Where the log begins and ends. Recovers nothing.
Result<OffsetRange> offsets_of(const Home& home, const TopicMetadata& topic, PartitionId partition, Deadline deadline);

// The batches of one partition that hold offsets in [from, to).
Result<> dump_partition(const Home& home, const TopicMetadata& topic, PartitionId partition, Offset from, Offset to,
                        const DumpOptions& options, const DumpVisitor& visitor, Deadline deadline);

// One .log file, wherever it lies and whatever its name.
Result<> dump_file(const Env& env, const std::string& path, Offset from, Offset to, const DumpOptions& options,
                   const DumpVisitor& visitor);

}  // namespace pg
