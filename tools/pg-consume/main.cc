// pg-consume: topics to standard output.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/text.h"
#include "core/client/consumer.h"
#include "core/os/signals.h"
#include "tools/common/delimiter.h"
#include "tools/common/place.h"
#include "tools/common/record_printer.h"
#include "tools/common/run_tool.h"

namespace pg {
namespace {

constexpr Duration kAbandonedPoll = std::chrono::milliseconds(500);

struct ConsumeOptions {
  bool follow = false;
  bool fail_if_empty = false;
  bool nul_delimiter = false;
  int64_t count = std::numeric_limits<int64_t>::max();
  int64_t last = -1;
  std::optional<std::string> delimiter;
  std::optional<PlaceRange> range;
  std::vector<PartitionId> partitions;
  PrintOptions print;
};

OptionTable consume_options(Tool& tool, ConsumeOptions& options) {
  OptionTable table("pg-consume", "TOPIC...", "Prints the records of each TOPIC, up to the ends seen at the start.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.flag("-F,--follow", options.follow, "go on with what is written later, like tail -f");
  table.option("-o,--offset", "RANGE", [&](const std::string& value) -> Result<> {
    PG_ASSIGN(options.range, parse_place_range(value, tool.env().clock.wall_ms()));
    return {};
  }, "start, end, N, +N, -N, @TIME, or A:B (default start)");
  table.count("-n,--count", 0, options.count, "stop after N records");
  table.count("--last", 0, options.last, "print the N newest records of all partitions");
  table.option("-p,--partition", "N", [&](const std::string& value) -> Result<> {
    const auto number = parse_integer(value);
    if (!number || *number < 0 || *number >= kPartitionsMax) return fail(Errc::invalid_argument, fmt::format("'{}' is no partition number", value));
    options.partitions.emplace_back(static_cast<int32_t>(*number));
    return {};
  }, "read partition N only (repeatable)");
  table.option("-d,--delimiter", "DELIM", [&](const std::string& value) -> Result<> {
    PG_ASSIGN(options.delimiter, parse_delimiter(value));
    return {};
  }, "end each record with DELIM, not newline; or with 'none'");
  table.flag("-0,--null", options.nul_delimiter, "end each record with a NUL byte");
  table.option("-K,--key-delimiter", "DELIM", [&](const std::string& value) -> Result<> {
    PG_ASSIGN(options.print.key_delimiter, parse_delimiter(value));
    return {};
  }, "print the key and DELIM before the value");
  table.option("-f,--format", "FORMAT", [&](const std::string& value) -> Result<> {
    PG_ASSIGN(options.print.format, FormatString::parse(value));
    return {};
  }, "print records as FORMAT says: %t %p %o %e %k %v %T %d %h …");
  table.flag("--fail-if-empty", options.fail_if_empty, "exit 3 if there is nothing to print");
  tool.add_common_options(table, "print a line of JSON per record",
                          "with -F, stop after so long without a record");
  table.hint("-t", "the topic is the first argument");
  table.hint("--topic", "the topic is the first argument");
  table.hint("-c", "the count is -n");
  table.hint("-C", "this is a consumer already");
  table.hint("-e", "without -F it stops at the end anyway");
  table.hint("--from-beginning", "it begins at the start anyway; -o says where else");
  table.hint("-b", "there is no server to name: the topic is a directory under --home");
  return table;
}

Result<> check_combination(const Tool& tool, ConsumeOptions& options) {
  const auto refuse = [](const char* what) { return fail(Errc::invalid_argument, what); };
  if (options.last >= 0 && (options.follow || options.range)) {
    return refuse("--last goes neither with -F nor with -o: 'pg-consume -F -o -N' follows from the last N of each partition");
  }
  const int forms = (options.print.format ? 1 : 0) + (tool.common().json ? 1 : 0) + (options.delimiter || options.nul_delimiter || options.print.key_delimiter ? 1 : 0);
  if (forms > 1) return refuse("-f, --json and the delimiters -d, -0, -K exclude each other");
  if (options.delimiter && options.nul_delimiter) return refuse("either -d or -0, not both");
  std::sort(options.partitions.begin(), options.partitions.end());
  options.partitions.erase(std::unique(options.partitions.begin(), options.partitions.end()), options.partitions.end());
  options.print.json = tool.common().json;
  if (options.delimiter) options.print.delimiter = *options.delimiter;
  if (options.nul_delimiter) options.print.delimiter = std::string(1, '\0');
  return {};
}

class Consume {
 public:
  Consume(const Tool& tool, const ConsumeOptions& options, Home& home)
      : tool_(tool), options_(options), home_(home), printer_(options.print, OutputStream::standard_output()) {}

  Result<ExitCode> run(const std::vector<std::string>& topics);

 private:
  Result<ExitCode> read();
  Result<> print_last(const ConsumerOptions& chosen);
  Result<std::optional<FetchedBatch>> wait_for_batch();
  Result<bool> print_batch(const FetchedBatch& fetched);
  Deadline progress_deadline() const {
    return options_.follow && !tool_.common().timeout_given ? kNoDeadline : tool_.deadline();
  }

  const Tool& tool_;
  const ConsumeOptions& options_;
  Home& home_;
  RecordPrinter printer_;
  std::unique_ptr<Consumer> consumer_;
  int64_t printed_ = 0;
};

Result<ExitCode> Consume::run(const std::vector<std::string>& topics) {
  ConsumerOptions chosen{.topics = topics, .partitions = options_.partitions, .follow = options_.follow, .timeout = tool_.common().timeout};
  if (options_.range) {
    chosen.from = options_.range->from;
    chosen.to = options_.range->to;
  }
  ExitCode outcome = kExitDone;
  if (options_.last >= 0) {
    PG_CHECK(print_last(chosen));
  } else {
    PG_ASSIGN(consumer_, Consumer::open(home_, chosen));
    auto done = read();
    // What was read before the error is printed before the error is.
    const auto flushed = printer_.flush();
    if (!done && done.error().code == Errc::corrupt) done.error().what += "; 'pg-topic verify' lists all damage";
    PG_CHECK(done);
    PG_CHECK(flushed);
    outcome = *done;
  }
  tool_.detail(fmt::format("{} records printed", printed_));
  if (outcome == kExitDone && printed_ == 0 && options_.fail_if_empty) return fail(Errc::not_found, "nothing to read");
  return outcome;
}

Result<ExitCode> Consume::read() {
  while (printed_ < options_.count) {
    PG_ASSIGN(auto fetched, consumer_->poll(options_.follow ? Deadline::min() : kNoDeadline));
    if (!fetched && (!options_.follow || consumer_->at_end())) return kExitDone;
    if (!fetched) {
      // Before it sleeps, what is there goes out.
      PG_CHECK(printer_.flush());
      PG_ASSIGN(fetched, wait_for_batch());
    }
    if (!fetched) {
      if (consumer_->at_end()) return kExitDone;
      if (options_.count == std::numeric_limits<int64_t>::max()) return kExitDone;  // a follower that was given a time
      return fail(Errc::timed_out, fmt::format("{} of {} records came in time", printed_, options_.count));
    }
    PG_ASSIGN(const bool more, print_batch(*fetched));
    if (!more) break;
  }
  return kExitDone;
}

// Sleeps until there is a batch; empty if none came in time. A reader that has left is noticed although nothing is
// written, and ends this as it would end cat.
Result<std::optional<FetchedBatch>> Consume::wait_for_batch() {
  const Deadline deadline = progress_deadline();
  for (;;) {
    PG_ASSIGN(const auto fetched, consumer_->poll(std::min(deadline, tool_.env().clock.after(kAbandonedPoll))));
    if (fetched || consumer_->at_end() || tool_.env().clock.now() >= deadline) return fetched;
    if (OutputStream::standard_output().is_abandoned()) die_of_signal(SIGPIPE);
  }
}

// False once the asked-for number of records was printed.
Result<bool> Consume::print_batch(const FetchedBatch& fetched) {
  PG_ASSIGN(auto records, FetchedRecords::begin(fetched));
  ConsumedRecord record;
  for (;;) {
    const auto more = records.next(record);
    if (!more) {
      Error error = more.error();
      error.path = fmt::format("partition {} of '{}'", fetched.source->partition.value, fetched.source->topic);
      return tl::unexpected(std::move(error));
    }
    if (!*more) return true;
    PG_CHECK(printer_.print(record));
    if (++printed_ == options_.count) return false;
  }
}

Result<> Consume::print_last(const ConsumerOptions& chosen) {
  PG_ASSIGN(const auto records, read_last(home_, chosen, std::min(options_.last, options_.count)));
  for (const auto& owned : records) {
    PG_CHECK(printer_.print(owned.view()));
    ++printed_;
  }
  return printer_.flush();
}

}  // namespace
}  // namespace pg

int main(int argc, char** argv) {
  pg::Tool tool("pg-consume");
  pg::ConsumeOptions options;
  pg::OptionTable table = pg::consume_options(tool, options);
  return tool.run(table, pg::arguments_of(argc, argv), [&](const auto& topics) -> pg::Result<pg::ExitCode> {
    PG_CHECK(pg::check_combination(tool, options));
    PG_ASSIGN(const auto home, tool.open_home());
    return pg::Consume(tool, options, *home).run(topics);
  });
}
