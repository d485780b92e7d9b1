// pg-topic dump: what is in the files, byte position by byte position.
#include <fmt/format.h>

#include <limits>

#include "core/base/text.h"
#include "core/format/control_record.h"
#include "core/local/inspector.h"
#include "tools/common/json_record.h"
#include "tools/common/place.h"
#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

constexpr size_t kWriteBytes = 64 << 10;

// Bytes for people: control characters, which a terminal would obey, become \xHH.
std::string shown(const std::optional<std::string_view>& bytes) {
  if (!bytes) return "null";
  std::string text = "\"";
  for (const char c : *bytes) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f || c == '"' || c == '\\')
      text += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    else
      text += c;
  }
  return text + "\"";
}

class Dump {
 public:
  Dump(const Tool& tool, int64_t batches_max) : tool_(tool), batches_left_(batches_max) {}

  DumpVisitor visitor();
  Result<> flush() {
    const auto written = tool_.print(out_);
    out_.clear();
    return written;
  }
  bool damaged() const { return damaged_; }

 private:
  bool json() const { return tool_.common().json; }
  void add(std::string_view line) {
    out_ += line;
    out_ += '\n';
    if (out_.size() >= kWriteBytes) (void)flush();
  }
  void add_batch(const DumpedBatch& batch);
  void add_record(const RecordView& record);
  void add_fault(const Fault& fault);

  const Tool& tool_;
  int64_t batches_left_;
  bool segment_shown_ = false;
  bool batch_shown_ = false;
  bool damaged_ = false;
  std::optional<ControlRecord> control_;  // of the batch at hand
  std::string out_;
};

// Batches without records, and Kafka's oldest clients, carry no time: -1.
std::string time_text(int64_t timestamp_ms) { return timestamp_ms == -1 ? "none" : rfc3339_utc(timestamp_ms); }

const char* control_name(const ControlRecord& control) {
  switch (control.type) {
    case ControlRecord::kAbort:
      return "abort";
    case ControlRecord::kCommit:
      return "commit";
    case ControlRecord::kEmptied:
      return "emptied";
    default:
      return "other";
  }
}

std::string control_text(const ControlRecord& control) {
  const std::string epoch =
      control.ends_transaction() ? fmt::format("  coordinator epoch {}", control.coordinator_epoch) : "";
  return fmt::format("  control {}{}", control_name(control), epoch);
}

std::string control_json(const ControlRecord& control) {
  const std::string epoch =
      control.ends_transaction() ? fmt::format(",\"coordinator_epoch\":{}", control.coordinator_epoch) : "";
  return fmt::format(",\"control_type\":\"{}\"{}", control_name(control), epoch);
}

void Dump::add_batch(const DumpedBatch& dumped) {
  batch_shown_ = batches_left_-- > 0;
  if (!batch_shown_) return;
  const BatchHeader& h = dumped.batch.header;
  control_.reset();
  if (h.is_control() && dumped.crc_matches) {
    if (const auto control = read_control_batch(dumped.batch.bytes, h)) control_ = *control;
  }
  const char* crc = dumped.crc_matches ? "ok" : "mismatch";
  if (json()) {
    add(fmt::format(
        "{{\"type\":\"batch\",\"position\":{},\"base_offset\":{},\"last_offset\":{},\"count\":{},"
        "\"leader_epoch\":{},\"timestamp\":{},\"timestamp_type\":\"{}\",\"codec\":\"{}\",\"size\":{},"
        "\"producer_id\":{},\"producer_epoch\":{},\"base_sequence\":{},\"transactional\":{},\"control\":{}{},\"crc\":"
        "\"{}\"}}",
        dumped.batch.position, h.base_offset.value, h.last_offset().value, h.record_count, h.leader_epoch.value,
        h.max_timestamp_ms, h.timestamp_type() == TimestampType::create ? "create" : "log_append",
        codec_name(h.codec()), h.size_bytes(), h.producer.id, h.producer.epoch, h.producer.sequence,
        h.is_transactional(), h.is_control(), control_ ? control_json(*control_) : "", crc));
  } else {
    std::string producer;
    if (h.producer.id >= 0) {
      producer = fmt::format("  producer {}  producer epoch {}  sequence {}", h.producer.id, h.producer.epoch,
                             h.producer.sequence);
    }
    if (h.is_transactional()) producer += "  transactional";
    if (h.is_control()) producer += control_ ? control_text(*control_) : "  control";
    add(fmt::format("  batch at {}  offsets {}..{}  count {}  epoch {}  time {}  codec {}  size {}{}  crc {}",
                    dumped.batch.position, h.base_offset.value, h.last_offset().value, h.record_count,
                    h.leader_epoch.value, time_text(h.max_timestamp_ms), codec_name(h.codec()), h.size_bytes(),
                    producer, crc));
  }
}

void Dump::add_record(const RecordView& record) {
  if (!batch_shown_) return;
  std::string line;
  if (json()) {
    line = fmt::format("{{\"type\":\"record\",\"offset\":{},\"timestamp\":{},\"key\":", record.offset.value,
                       record.timestamp_ms);
    append_json_bytes(line, record.key);
    line += ",\"value\":";
    append_json_bytes(line, record.value);
    line += ",\"headers\":";
    append_json_headers(line, record);
    if (control_) line += control_json(*control_);
    line += '}';
  } else if (control_) {
    line = fmt::format("    offset {}  time {}{}", record.offset.value, time_text(record.timestamp_ms),
                       control_text(*control_));
  } else {
    line = fmt::format("    offset {}  time {}  key {}  value {}", record.offset.value, time_text(record.timestamp_ms),
                       shown(record.key), shown(record.value));
    for (const auto& header : record.headers())
      line += fmt::format("  header {}={}", shown(header.name), shown(header.value));
  }
  add(line);
}

void Dump::add_fault(const Fault& fault) {
  damaged_ = true;
  (void)flush();  // in order with what was printed before
  tool_.error(fmt::format("{}:{} offset {}: {}", fault.path, fault.position, fault.offset.value, fault.reason));
}

DumpVisitor Dump::visitor() {
  DumpVisitor visitor;
  visitor.segment = [this](const std::string& path, Offset base, uint64_t size) {
    segment_shown_ = batches_left_ > 0;
    if (!segment_shown_) return;
    if (json())
      add(fmt::format("{{\"type\":\"segment\",\"file\":{},\"base_offset\":{},\"size\":{}}}", json_string(path),
                      base.value, size));
    else
      add(fmt::format("segment {}  base offset {}  size {}", path, base.value, size));
  };
  visitor.batch = [this](const DumpedBatch& batch) { add_batch(batch); };
  visitor.record = [this](const RecordView& record) { add_record(record); };
  visitor.fault = [this](const Fault& fault) { add_fault(fault); };
  visitor.offset_entry = [this](const std::string& path, uint64_t at, Offset offset, const OffsetIndexEntry& entry) {
    if (!segment_shown_) return;
    if (json())
      add(fmt::format("{{\"type\":\"index\",\"file\":{},\"at\":{},\"offset\":{},\"position\":{}}}", json_string(path),
                      at, offset.value, entry.position));
    else
      add(fmt::format("  index at {}  offset {}  position {}", at, offset.value, entry.position));
  };
  visitor.time_entry = [this](const std::string& path, uint64_t at, Offset offset, const TimeIndexEntry& entry) {
    if (!segment_shown_) return;
    if (json())
      add(fmt::format("{{\"type\":\"index\",\"file\":{},\"at\":{},\"offset\":{},\"timestamp\":{}}}", json_string(path),
                      at, offset.value, entry.timestamp_ms));
    else
      add(fmt::format("  timeindex at {}  offset {}  time {}", at, offset.value, time_text(entry.timestamp_ms)));
  };
  return visitor;
}

Result<Offset> resolve(const Place& place, const OffsetRange& log) {
  switch (place.kind) {
    case Place::Kind::start:
      return log.start;
    case Place::Kind::end:
      return log.end;
    case Place::Kind::offset:
      return Offset(place.value);
    case Place::Kind::after_start:
      return log.start + place.value;
    case Place::Kind::before_end:
      return log.end + -place.value;
    case Place::Kind::timestamp:
      break;
  }
  return fail(Errc::invalid_argument, "-o: dump takes offsets, not times");
}

Result<> dump_topic(const Tool& tool, const std::string& name, int64_t only, const PlaceRange& range,
                    const DumpOptions& options, const DumpVisitor& visitor) {
  PG_ASSIGN(const auto home, tool.open_home());
  PG_ASSIGN(const auto topic, home->describe_topic(name));
  if (only >= 0 && std::cmp_greater_equal(only, topic.partitions.size())) {
    return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", name, only));
  }
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    if (only >= 0 && std::cmp_not_equal(only, i)) continue;
    const PartitionId partition(static_cast<int32_t>(i));
    PG_ASSIGN(const OffsetRange log, offsets_of(*home, topic, partition, tool.deadline()));
    PG_ASSIGN(const Offset from, resolve(range.from, log));
    PG_ASSIGN(const Offset to, resolve(range.to.value_or(Place{Place::Kind::end, 0}), log));
    PG_CHECK(dump_partition(*home, topic, partition, from, to, options, visitor, tool.deadline()));
  }
  return {};
}

Result<> dump_one_file(const Tool& tool, const std::string& path, const PlaceRange& range, const DumpOptions& options,
                       const DumpVisitor& visitor) {
  const auto absolute = [](const Place& place) { return place.kind == Place::Kind::offset; };
  const bool whole = range.from == Place{} && !range.to;
  if (!whole && (!(absolute(range.from) || range.from == Place{}) || (range.to && !absolute(*range.to)))) {
    return fail(Errc::invalid_argument, "-o: for a file, write offsets: N, A:B, :B or A:");
  }
  const Offset from(absolute(range.from) ? range.from.value : 0);
  const Offset to(range.to ? range.to->value : std::numeric_limits<int64_t>::max());
  return dump_file(tool.env(), path, from, to, options, visitor);
}

}  // namespace

int topic_dump(const Arguments& arguments) {
  Tool tool("pg-topic dump");
  DumpOptions options;
  PlaceRange range;
  int64_t only = -1, count = std::numeric_limits<int64_t>::max();
  OptionTable table("pg-topic dump", "TOPIC|FILE.log",
                    "Prints the segments and batches of TOPIC, or of one .log file.");
  table.operands(1, 1);
  table.count("-p,--partition", 0, only, "partition N only");
  table.option(
      "-o,--offset", "RANGE",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(range, parse_place_range(value, tool.env().clock.wall_ms()));
        return {};
      },
      "offsets: start, end, N, +N, -N, or A:B (default all)");
  table.count("-n,--count", 0, count, "stop after N batches");
  table.flag("--records", options.records, "print the records of each batch");
  table.flag("--index", options.index, "print the index entries of each segment");
  tool.add_common_options(table, "print lines of JSON, each with its \"type\"");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    Dump dump(tool, count);
    const std::string& what = operands[0];
    // A topic's name has no slash, so what has one is a file.
    const auto dumped = what.find('/') != std::string::npos
                            ? dump_one_file(tool, what, range, options, dump.visitor())
                            : dump_topic(tool, what, only, range, options, dump.visitor());
    PG_CHECK(dump.flush());
    if (!dumped && dumped.error().code == Errc::not_found && what.ends_with(".log") &&
        what.find('/') == std::string::npos) {
      PG_CHECK(dump_one_file(tool, "./" + what, range, options, dump.visitor()));
      PG_CHECK(dump.flush());
    } else {
      PG_CHECK(dumped);
    }
    return dump.damaged() ? kExitDamaged : kExitDone;
  });
}

}  // namespace pg
