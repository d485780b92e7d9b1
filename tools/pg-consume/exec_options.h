// The options of --exec: a command per record, or per batch of records.
#pragma once

#include <optional>
#include <string>

#include "tools/common/run_tool.h"
#include "tools/pg-consume/delivery.h"

namespace pg {

struct ConsumeOptions;

struct ExecOptions {
  std::optional<std::string> command;
  std::optional<int64_t> batch;  // records for each command, with delimiters; empty: one, without
  std::optional<int64_t> workers;
  std::optional<DeliveryOrder> order;
  std::optional<int64_t> attempts_max;
  std::optional<Duration> retry_backoff;
  std::optional<std::string> dead_letter_topic;

  DeliveryOptions delivery() const;
};

void add_exec_options(OptionTable& table, ExecOptions& options);

// Refuses combinations that make no sense.
Result<> settle_exec(const Tool& tool, const ConsumeOptions& options);

}  // namespace pg
