// Checks everything a partition's files say against each other: each batch's CRC and records, the order of offsets and
// epochs, and the indexes.
#pragma once

#include <functional>
#include <string>

#include "core/log/partition_log.h"

namespace pg {

struct Fault {
  std::string path;
  uint64_t position = 0;  // byte
  Offset offset;          // the first offset concerned
  std::string reason;
};

struct VerifyTotals {
  int64_t segments = 0;
  int64_t batches = 0;
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t faults = 0;
};

// Reads every byte below the log's end. The log may be in use; a fault is a fault all the same.
Result<VerifyTotals> verify_log(PartitionLog& log, const std::function<void(const Fault&)>& report);

}  // namespace pg
