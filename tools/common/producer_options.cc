#include "tools/common/producer_options.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace pg {
namespace {

Result<> parse_acks(const std::string& value, Acks& acks) {
  if (value == "none" || value == "0")
    acks = Acks::none;
  else if (value == "leader" || value == "1")
    acks = Acks::leader;
  else if (value == "all" || value == "-1")
    acks = Acks::all;
  else
    return fail(Errc::invalid_argument, fmt::format("'{}' is not none, leader or all", value));
  return {};
}

Result<> parse_flush(const std::string& value, FlushMode& flush) {
  if (value == "never")
    flush = FlushMode::never;
  else if (value == "exit")
    flush = FlushMode::exit;
  else if (value == "batch")
    flush = FlushMode::batch;
  else
    return fail(Errc::invalid_argument, fmt::format("'{}' is not batch, exit or never", value));
  return {};
}

}  // namespace

void add_producer_options(OptionTable& table, ProducerOptions& options) {
  table.option(
      "-z,--compression", "CODEC",
      [&options](const std::string& value) -> Result<> {
        const auto codec = parse_codec(value);
        if (!codec)
          return fail(Errc::invalid_argument, fmt::format("'{}' is not none, gzip, snappy, lz4 or zstd", value));
        options.codec = *codec;
        return {};
      },
      "compress batches: none (default), gzip, snappy, lz4 or zstd");
  table.option(
      "--acks", "WHICH", [&options](const std::string& value) { return parse_acks(value, options.acks); },
      "copies to wait for: none, leader or all (default)");
  table.option(
      "--flush", "WHEN", [&options](const std::string& value) { return parse_flush(value, options.flush); },
      "force to disk: after each batch, at exit (default) or never");
  table.size("--batch-bytes", 1, options.batch_bytes, "send a batch before it grows beyond SIZE (default 1M)");
  table.duration("--linger", options.linger, "wait so long for a batch to fill (default 0)");
  table.option(
      "--partitioner", "NAME",
      [&options](const std::string& value) -> Result<> {
        const auto kind = parse_partitioner(value);
        if (!kind)
          return fail(Errc::invalid_argument,
                      fmt::format("'{}' is not murmur2, crc32, round-robin, random or sticky", value));
        options.partitioner = *kind;
        return {};
      },
      "murmur2 (default), crc32, round-robin, random or sticky");
}

const char* name_of(Acks acks) { return acks == Acks::none ? "none" : acks == Acks::leader ? "leader" : "all"; }

const char* name_of(FlushMode flush) {
  return flush == FlushMode::never ? "never" : flush == FlushMode::exit ? "exit" : "batch";
}

}  // namespace pg
