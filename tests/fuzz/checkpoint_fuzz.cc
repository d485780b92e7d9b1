// Any text as one of Kafka's small files, or as our metadata: `corrupt`, or the same after it is written and read
// again.
#include "core/format/checkpoint_text.h"
#include "core/store/metadata_json.h"
#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

template <class Parse, class Write>
void check(std::string_view text, Parse parse, Write write) {
  const auto parsed = parse(text);
  if (!parsed) {
    PG_ASSERT(parsed.error().code == Errc::corrupt || parsed.error().code == Errc::unsupported_version);
    PG_ASSERT(!parsed.error().what.empty());
    return;
  }
  const std::string written = write(*parsed);
  const auto again = parse(written);
  PG_ASSERT(again.has_value());
  PG_ASSERT(write(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = FuzzInput(data, size).rest();
  check(text, parse_epoch_history, write_epoch_history);
  check(text, parse_partition_metadata, write_partition_metadata);
  check(text, parse_cluster, write_cluster);
  check(text, parse_topic, write_topic);
  const OffsetLines lines = read_offset_lines(text), again = read_offset_lines(write_offset_lines(lines));
  PG_ASSERT(again.offsets == lines.offsets && again.is_whole() == lines.is_whole());
  if (const auto history = parse_epoch_history(text)) {
    for (size_t i = 0; i < history->size(); ++i) {
      const EpochStart& entry = (*history)[i];
      PG_ASSERT(i == 0 ||
                (entry.epoch > (*history)[i - 1].epoch && entry.start_offset >= (*history)[i - 1].start_offset));
    }
    EpochHistory opened = *history;
    open_epoch(opened, LeaderEpoch(INT32_MAX), Offset(100));
    PG_ASSERT(epoch_at(opened, Offset(100)) == LeaderEpoch(INT32_MAX));
  }
  return 0;
}
