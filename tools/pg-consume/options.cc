#include "tools/pg-consume/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "tools/common/delimiter.h"

namespace pg {

namespace {

template <typename Value>
OptionTable::Parser one_of(std::initializer_list<std::pair<const char*, Value>> words, Value& target, bool& given) {
  return [words = std::vector<std::pair<const char*, Value>>(words), &target,
          &given](const std::string& value) -> Result<> {
    std::string known;
    for (const auto& [word, meaning] : words) {
      if (value == word) {
        target = meaning;
        given = true;
        return {};
      }
      known += known.empty() ? word : fmt::format(", {}", word);
    }
    return fail(Errc::invalid_argument, fmt::format("'{}' is not one of {}", value, known));
  };
}

Result<Isolation> parse_isolation(const std::string& value) {
  std::string level = value;
  std::ranges::replace(level, '-', '_');
  if (level == "read_committed") return Isolation::read_committed;
  if (level == "read_uncommitted") return Isolation::read_uncommitted;
  return fail(Errc::invalid_argument, fmt::format("'{}' is not one of read_committed, read_uncommitted", value));
}

void add_filter_options(OptionTable& table, RecordFilter& filter) {
  table.option(
      "-k,--key", "KEY",
      [&](const std::string& value) {
        filter.only_key(value);
        return Result<>();
      },
      "print only records with exactly this key\n(repeatable: with any of these keys)");
  table.may_repeat();
  table.option(
      "--grep", "PATTERN", [&](const std::string& value) { return filter.only_matching(value); },
      "print only records whose value matches PATTERN\n(repeatable: any of them)");
  table.may_repeat();
}

void add_group_options(OptionTable& table, GroupOptions& group) {
  table.option(
      "-g,--group", "GROUP",
      [&](const std::string& value) {
        group.name = value;
        return check_group_name(value);
      },
      "read as a member of GROUP: what it has not committed yet");
  table.option("--reset", "WHERE",
               one_of<OffsetReset>(
                   {{"earliest", OffsetReset::earliest}, {"latest", OffsetReset::latest}, {"fail", OffsetReset::fail}},
                   group.reset, group.any_given),
               "without a committed offset that the log has: begin at its\nearliest record (default), behind its "
               "latest, or fail");
  table.option("--commit", "WHEN",
               one_of<bool>({{"after-write", true}, {"never", false}}, group.commits, group.any_given),
               "after-write (default), or never: by hand, with\n'pg-group commit'");
  table.option(
      "--offsets-file", "FILE",
      [&](const std::string& value) {
        group.offsets_file = value;
        group.any_given = true;
        return value.empty() ? fail(Errc::invalid_argument, "an empty name is not a file") : Result<>();
      },
      "with --commit never: write there what was delivered");
  table.option(
      "--assignor", "HOW",
      [&](const std::string& value) -> Result<> {
        group.assignor = parse_assignor(value);
        group.any_given = true;
        if (group.assignor) return {};
        return fail(Errc::invalid_argument, fmt::format("'{}' is not one of range, round-robin, sticky", value));
      },
      "how members share partitions: range, round-robin, or\nsticky (default)");
  table.option(
      "--session-timeout", "DURATION",
      [&](const std::string& value) -> Result<> {
        const auto parsed = parse_duration(value);
        group.any_given = true;
        if (!parsed || *parsed < kSessionTimeoutMin || *parsed > kSessionTimeoutMax) {
          return fail(Errc::invalid_argument, fmt::format("'{}' is not a duration from 1s to 1h", value));
        }
        group.session_timeout = *parsed;
        return {};
      },
      "how long this member may hang before others take over\n(default 10s)");
}

// What to type to go on behind a record that a group cannot decode: otherwise every run stops there.
std::string way_past(const GroupOptions& group, const ConsumedRecord& record) {
  if (group.name.empty()) return {};
  return fmt::format("; 'pg-group seek {} {} {}:{}' goes on behind it", group.name, record.offset.value + 1,
                     record.source->topic, record.source->partition.value);
}

}  // namespace

Result<bool> choose(const ConsumeOptions& options, ConsumedRecord& record) {
  if (!options.codec) return options.filter.keeps_all() || options.filter.keeps(record);
  if (!options.filter.keeps_key(record)) return false;
  if (record.value) {
    auto json = options.codec->decode(*record.value);
    if (!json) {
      Error& error = json.error();
      error.what = fmt::format("partition {} of '{}', offset {}: {}{}", record.source->partition.value,
                               record.source->topic, record.offset.value, error.what, way_past(options.group, record));
      return tl::unexpected(std::move(error));
    }
    record.value = *json;
  }
  return options.filter.keeps(record);
}

OptionTable consume_options(Tool& tool, ConsumeOptions& options) {
  OptionTable table("pg-consume", "TOPIC...", "Prints the records of each TOPIC, up to the ends seen at the start.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.flag("-F,--follow", options.follow, "go on with what is written later, like tail -f");
  table.option(
      "-o,--offset", "RANGE",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.range, parse_place_range(value, tool.env().clock.wall_ms()));
        return {};
      },
      "start, end, N, +N, -N, @TIME, or A:B (default start)");
  table.count("-n,--count", 0, options.count, "stop after N records were printed");
  table.count("--last", 0, options.last, "print the N newest records of all partitions");
  table.option(
      "-p,--partition", "N",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(const PartitionId partition, to_partition(value));
        options.partitions.push_back(partition);
        return {};
      },
      "read partition N only (repeatable)");
  table.may_repeat();
  table.option(
      "--isolation", "LEVEL",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.isolation, parse_isolation(value));
        return {};
      },
      "read_committed (default): no records of transactions that\nare open or aborted; read_uncommitted: those too");
  add_group_options(table, options.group);
  add_filter_options(table, options.filter);
  table.option(
      "-d,--delimiter", "DELIM",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.delimiter, parse_delimiter(value));
        return {};
      },
      "end each record with DELIM, not newline; or with 'none'");
  table.flag("-0,--null", options.nul_delimiter, "end each record with a NUL byte");
  table.option(
      "--framing", "HOW",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.print.framing, parse_framing(value));
        return {};
      },
      "lines (default), or len32be: before each record its length");
  table.option(
      "-K,--key-delimiter", "DELIM",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.print.key_delimiter, parse_delimiter(value));
        return {};
      },
      "print the key and DELIM before the value");
  table.option(
      "-f,--format", "FORMAT",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.print.format, FormatString::parse(value));
        return {};
      },
      "print records as FORMAT says: %t %p %o %e %k %v %T %d %h …");
  table.flag("--schema", options.by_schema, "values name their schemas: print them as JSON");
  add_exec_options(table, options.exec);
  table.flag("--skip-damaged", options.skip_damaged, "go on behind damage, and exit 6 at the end");
  table.flag("--fail-if-empty", options.fail_if_empty, "exit 3 if there is nothing to print");
  tool.add_common_options(table, "print a line of JSON per record",
                          "with -F, stop after so long without a record to print");
  table.hint("-t", "the topic is the first argument");
  table.hint("--topic", "the topic is the first argument");
  table.hint("-c", "the count is -n");
  table.hint("-C", "this is a consumer already");
  table.hint("-e", "without -F it stops at the end anyway");
  table.hint("--from-beginning", "it begins at the start anyway; -o says where else");
  table.hint("-b", "there is no server to name: the topic is a directory under --home");
  return table;
}

Result<> settle(const Tool& tool, ConsumeOptions& options) {
  const auto refuse = [](const char* what) { return fail(Errc::invalid_argument, what); };
  if (options.last >= 0 && (options.follow || options.range)) {
    return refuse(
        "--last goes neither with -F nor with -o: 'pg-consume -F -o -N' follows from the last N of each partition");
  }
  const GroupOptions& group = options.group;
  if (group.name.empty() && group.any_given)
    return refuse("--reset, --commit, --offsets-file, --assignor and --session-timeout need -g GROUP");
  if (!group.name.empty() && (options.range || options.last >= 0 || !options.partitions.empty())) {
    return refuse("a group decides where to read: -o, --last and -p do not go with -g ('pg-group seek' moves it)");
  }
  if (!group.offsets_file.empty() && group.commits) return refuse("--offsets-file is for --commit never");
  const bool lengths = options.print.framing == Framing::len32be;
  if (lengths && (options.delimiter || options.nul_delimiter || options.print.format || tool.common().json)) {
    return refuse("--framing len32be is a form of its own: -d, -0, -f and --json do not go with it");
  }
  const int forms = (options.print.format ? 1 : 0) + (tool.common().json ? 1 : 0) +
                    (options.delimiter || options.nul_delimiter || options.print.key_delimiter ? 1 : 0);
  if (forms > 1) return refuse("-f, --json and the delimiters -d, -0, -K exclude each other");
  if (options.delimiter && options.nul_delimiter) return refuse("either -d or -0, not both");
  if (options.by_schema && options.exec.dead_letter_topic)
    return refuse("--dlq keeps values as they are, and --schema does not: leave one out");
  std::sort(options.partitions.begin(), options.partitions.end());
  options.partitions.erase(std::unique(options.partitions.begin(), options.partitions.end()), options.partitions.end());
  options.print.json = tool.common().json;
  if (options.delimiter) options.print.delimiter = *options.delimiter;
  if (lengths) options.print.delimiter.clear();
  if (options.nul_delimiter) options.print.delimiter = std::string(1, '\0');
  return settle_exec(tool, options);
}

}  // namespace pg
