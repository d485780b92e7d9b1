// pg-consume's options: what was typed, checked.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "tools/common/place.h"
#include "tools/common/record_filter.h"
#include "tools/common/record_printer.h"
#include "tools/common/run_tool.h"
#include "tools/common/value_codec.h"
#include "tools/pg-consume/exec_options.h"

namespace pg {

inline constexpr int64_t kNoCount = std::numeric_limits<int64_t>::max();

struct GroupOptions {
  std::string name;  // empty: no group
  OffsetReset reset = OffsetReset::earliest;
  bool commits = true;
  std::string offsets_file;
  std::optional<AssignorKind> assignor;
  Duration session_timeout = kSessionTimeoutDefault;
  bool any_given = false;  // of these options, other than the name
};

struct ConsumeOptions {
  bool follow = false;
  Isolation isolation = Isolation::read_committed;
  bool fail_if_empty = false;
  bool skip_damaged = false;
  bool by_schema = false;
  bool nul_delimiter = false;
  int64_t count = kNoCount;
  int64_t last = -1;
  std::optional<std::string> delimiter;
  std::optional<PlaceRange> range;
  std::vector<PartitionId> partitions;
  RecordFilter filter;
  std::shared_ptr<ValueCodec> codec;  // with by_schema, once the home is open: values are decoded by it
  PrintOptions print;
  GroupOptions group;
  ExecOptions exec;
};

// Whether the record is to be printed; its value is then what is printed, until the next call. invalid_argument,
// not_found: it cannot be decoded.
Result<bool> choose(const ConsumeOptions& options, ConsumedRecord& record);

OptionTable consume_options(Tool& tool, ConsumeOptions& options);

// Refuses combinations that make no sense, and settles what several options decide together.
Result<> settle(const Tool& tool, ConsumeOptions& options);

}  // namespace pg
