#include "tools/common/offsets_file.h"

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/os/stream.h"

namespace pg {
namespace {

constexpr size_t kOffsetsFileBytesMax = 64 << 20;

std::optional<DeliveredOffset> parse_line(std::string_view line) {
  const auto fields = split(line, '\t');
  if (fields.size() < 4 || fields.size() > 5 || fields[0].empty()) return {};
  const auto partition = parse_integer(fields[1]), next = parse_integer(fields[2]), epoch = parse_integer(fields[3]);
  if (!partition || *partition < 0 || *partition >= kPartitionsMax || !next || *next < 0 || !epoch || *epoch < -1 ||
      *epoch > INT32_MAX)
    return {};
  DeliveredOffset offset{{std::string(fields[0]), PartitionId(static_cast<int32_t>(*partition))},
                         Offset(*next),
                         LeaderEpoch(static_cast<int32_t>(*epoch))};
  if (fields.size() == 4) return offset;
  const auto from = parse_integer(fields[4]);
  if (!from || *from < 0) return {};
  offset.from = Offset(*from);
  return offset;
}

}  // namespace

std::string write_offsets_file(const std::vector<DeliveredOffset>& offsets) {
  std::string text;
  for (const auto& each : offsets) {
    text += fmt::format("{}\t{}\t{}\t{}", each.partition.topic, each.partition.partition.value, each.next.value,
                        each.leader_epoch.value);
    text += each.from ? fmt::format("\t{}\n", each.from->value) : "\n";
  }
  return text;
}

Result<std::vector<DeliveredOffset>> read_offsets_file(const std::string& path) {
  PG_ASSIGN(const std::string text, read_user_file(path, kOffsetsFileBytesMax));
  std::vector<DeliveredOffset> offsets;
  int64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = rest.find('\n');
    const auto offset = parse_line(rest.substr(0, end));
    ++number;
    // A last line without its newline may be cut short anywhere, and still look whole.
    if (!offset || end == std::string_view::npos) {
      return fail(Errc::invalid_argument,
                  fmt::format("'{}', line {}: no line that pg-consume --offsets-file wrote", path, number));
    }
    offsets.push_back(*offset);
    rest.remove_prefix(end + 1);
  }
  return offsets;
}

}  // namespace pg
