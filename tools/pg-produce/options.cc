#include "tools/pg-produce/options.h"

#include <fmt/format.h>

#include <limits>

#include "core/base/text.h"
#include "tools/common/place.h"
#include "tools/common/producer_options.h"

namespace pg {
namespace {

Result<> parse_header(const std::string& value, ProduceOptions& options) {
  const auto equals = value.find('=');
  if (equals == std::string::npos)
    return fail(Errc::invalid_argument, fmt::format("a header is written name=value, not '{}'", value));
  options.headers.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  return {};
}

}  // namespace

OptionTable produce_options(Tool& tool, ProduceOptions& options) {
  OptionTable table("pg-produce", "TOPIC [MESSAGE...]",
                    "Appends each MESSAGE, or each line of standard input, as a record to TOPIC.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.option(
      "-d,--delimiter", "DELIM",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.delimiter, parse_delimiter(value));
        return {};
      },
      "records end with DELIM, not newline; 'none': one record");
  table.flag("-0,--null", options.nul_delimiter, "records end with a NUL byte");
  table.option(
      "--framing", "HOW",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.framing, parse_framing(value));
        return {};
      },
      "lines (default), or len32be: before each record its length");
  table.option(
      "-K,--key-delimiter", "DELIM",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.key_delimiter, parse_delimiter(value));
        return options.key_delimiter->empty() ? fail(Errc::invalid_argument, "a key delimiter has at least one byte")
                                              : Result<>();
      },
      "split each record at the first DELIM into key and value");
  table.flag("--key-optional", options.key_optional, "a record without -K's DELIM has no key");
  table.option(
      "-k,--key", "KEY",
      [&](const std::string& value) {
        options.key = value;
        return Result<>();
      },
      "the key of every record");
  table.option(
      "-H,--header", "NAME=VALUE", [&](const std::string& value) { return parse_header(value, options); },
      "add a header to every record (repeatable, in order)");
  table.may_repeat();
  table.option(
      "-p,--partition", "N",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.partition, to_partition(value));
        return {};
      },
      "write to partition N");
  table.flag("-Z,--empty-null", options.empty_is_null, "an empty value is null");
  table.option(
      "--timestamp", "TIME",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.timestamp_ms, parse_time(value, tool.env().clock.wall_ms()));
        return *options.timestamp_ms < 0 ? fail(Errc::invalid_argument, fmt::format("'{}' lies before 1970", value))
                                         : Result<>();
      },
      "the timestamp of every record, in place of the time now");
  table.option(
      "--file", "PATH",
      [&](const std::string& value) {
        options.files.push_back(value);
        return Result<>();
      },
      "send the file PATH as one record (repeatable)");
  table.may_repeat();
  add_producer_options(table, options.producer);
  table.option(
      "--input-id", "NAME",
      [&](const std::string& value) -> Result<> {
        if (value.empty() || value.size() > kInputIdBytesMax) {
          return fail(Errc::invalid_argument, fmt::format("a name has 1 to {} bytes", kInputIdBytesMax));
        }
        options.producer.name = value;
        return {};
      },
      "this input is NAME: skip what TOPIC has of it already");
  table.old_name("--producer-id", "--input-id");
  table.option(
      "--schema", "SUBJECT",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(options.schema, parse_subject_choice(value));
        return {};
      },
      "each value is JSON that matches the latest schema of\nSUBJECT, or SUBJECT:VERSION; written in its wire format");
  table.flag("-T,--tee", options.tee, "copy standard input to standard output once it is written");
  table.flag("--report", options.report, "print a line of JSON per batch once it is as safe as asked");
  table.flag("--no-create", options.no_create, "fail if the topic does not exist");
  tool.add_common_options(table, "each line is a JSON record, as pg-consume --json prints");
  table.hint("-t", "the topic is the first argument");
  table.hint("--topic", "the topic is the first argument");
  table.hint("-b", "there is no server to name: the topic is a directory under --home");
  table.hint("-P", "this is a producer already");
  table.hint("-c", "configs are set with 'pg-topic create -c name=value'");
  return table;
}

Result<> check_combination(const Tool& tool, const ProduceOptions& options, bool messages) {
  const auto refuse = [](const char* what) { return fail(Errc::invalid_argument, what); };
  const bool split =
      options.delimiter != "\n" || options.nul_delimiter || options.key_delimiter || options.empty_is_null;
  if (tool.common().json && split) return refuse("--json has its own form: -d, -0, -K and -Z do not go with it");
  if (tool.common().json && (messages || !options.files.empty()))
    return refuse("--json reads standard input: leave out MESSAGE and --file");
  if (messages && !options.files.empty()) return refuse("either MESSAGE or --file, not both");
  const bool lengths = options.framing == Framing::len32be;
  if (lengths && (options.delimiter != "\n" || options.nul_delimiter || tool.common().json)) {
    return refuse("--framing len32be needs no delimiter and takes any bytes: -d, -0 and --json do not go with it");
  }
  if ((lengths || options.tee) && (messages || !options.files.empty())) {
    return refuse("-T and --framing are for standard input: leave out MESSAGE and --file");
  }
  if (options.tee && options.report) return refuse("-T and --report both print on standard output: choose one");
  if (options.tee && options.producer.name) return refuse("-T copies what is written, and --input-id may hold it back");
  if (options.tee && options.producer.linger > Duration(0)) {
    return refuse("-T writes what was read before it copies it, so --linger does not go with it");
  }
  if (options.key && options.key_delimiter) return refuse("either -k or -K, not both");
  if (options.key_optional && !options.key_delimiter) return refuse("--key-optional needs -K");
  if (options.nul_delimiter && options.delimiter != "\n") return refuse("either -d or -0, not both");
  const PartitionerKind kind = options.producer.partitioner;
  if (options.producer.name && kind != PartitionerKind::murmur2 && kind != PartitionerKind::crc32) {
    return refuse(
        "--input-id needs a partitioner that places a record in the same partition each time: murmur2 or crc32");
  }
  return {};
}

}  // namespace pg
