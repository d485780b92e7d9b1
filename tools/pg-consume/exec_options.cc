#include "tools/pg-consume/exec_options.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "tools/pg-consume/options.h"

namespace pg {
namespace {

Result<DeliveryOrder> parse_order(const std::string& value) {
  if (value == "key") return DeliveryOrder::key;
  if (value == "partition") return DeliveryOrder::partition;
  if (value == "none") return DeliveryOrder::none;
  return fail(Errc::invalid_argument, fmt::format("'{}' is not an order: write key, partition or none", value));
}

void add_count(OptionTable& table, const std::string& names, std::optional<int64_t>& target, const std::string& help) {
  table.option(
      names, "N",
      [&target](const std::string& value) -> Result<> {
        target = parse_integer(value);
        if (target && *target >= 1) return {};
        return fail(Errc::invalid_argument, fmt::format("'{}' is not a number of at least 1", value));
      },
      help);
}

}  // namespace

DeliveryOptions ExecOptions::delivery() const {
  DeliveryOptions chosen;
  chosen.order = order.value_or(chosen.order);
  chosen.workers = static_cast<size_t>(workers.value_or(1));
  chosen.batch_records = static_cast<size_t>(batch.value_or(1));
  chosen.attempts_max = attempts_max.value_or(1);
  chosen.retry_backoff = retry_backoff.value_or(chosen.retry_backoff);
  chosen.dead_letters = dead_letter_topic.has_value();
  return chosen;
}

void add_exec_options(OptionTable& table, ExecOptions& options) {
  table.option(
      "--exec", "CMD",
      [&options](const std::string& value) {
        options.command = value;
        return value.empty() ? fail(Errc::invalid_argument, "an empty command does nothing") : Result<>();
      },
      "do not print: run CMD for each record, by sh -c, with\nthe value on its standard input");
  add_count(table, "--exec-batch", options.batch, "run CMD for up to N records, each with its delimiter");
  add_count(table, "-P,--parallel", options.workers, "run up to N commands at once (default 1)");
  table.option(
      "--order", "WHAT",
      [&options](const std::string& value) -> Result<> {
        PG_ASSIGN(options.order, parse_order(value));
        return {};
      },
      "one command at a time for each key, each partition\n(default), or none of them");
  add_count(table, "--max-attempts", options.attempts_max, "run a command that fails up to N times (default 1)");
  table.duration("--retry-backoff", options.retry_backoff,
                 "how long to wait before the second attempt (default\n1s), and twice as long before each further one");
  table.option(
      "--dlq", "TOPIC",
      [&options](const std::string& value) {
        options.dead_letter_topic = value;
        return Result<>();
      },
      "put records there whose attempts are used up");
}

Result<> settle_exec(const Tool& tool, const ConsumeOptions& options) {
  const auto refuse = [](const char* what) { return fail(Errc::invalid_argument, what); };
  const ExecOptions& exec = options.exec;
  if (!exec.command) {
    if (exec.batch || exec.workers || exec.order || exec.attempts_max || exec.retry_backoff || exec.dead_letter_topic) {
      return refuse("--exec-batch, -P, --order, --max-attempts, --retry-backoff and --dlq go with --exec only");
    }
    return {};
  }
  if (options.print.format || tool.common().json || options.print.key_delimiter ||
      options.print.framing != Framing::lines) {
    return refuse("--exec gives values to commands: -f, --json, -K and --framing do not go with it");
  }
  if ((options.delimiter || options.nul_delimiter) && !exec.batch) {
    return refuse("--exec gives each command one value without a delimiter: -d and -0 go with --exec-batch");
  }
  return {};
}

}  // namespace pg
