// pg-produce's options: what was typed, checked.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/common/delimiter.h"
#include "tools/common/run_tool.h"
#include "tools/common/value_codec.h"

namespace pg {

struct ProduceOptions {
  std::string delimiter = "\n";
  bool nul_delimiter = false;
  Framing framing = Framing::lines;
  std::optional<std::string> key_delimiter;
  bool key_optional = false;
  std::optional<std::string> key;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<PartitionId> partition;
  bool empty_is_null = false;
  std::optional<int64_t> timestamp_ms;
  std::vector<std::string> files;
  std::optional<SubjectChoice> schema;  // what every value is to match
  bool report = false;
  bool tee = false;
  bool no_create = false;
  ProducerOptions producer;
};

OptionTable produce_options(Tool& tool, ProduceOptions& options);

// Combinations that make no sense; `messages`: there are MESSAGE operands.
Result<> check_combination(const Tool& tool, const ProduceOptions& options, bool messages);

}  // namespace pg
