#include "core/log/producer_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/path_names.h"
#include "core/log/segment_list.h"

namespace pg {
namespace {

using names::SegmentFile;

// A segment's .log and how much of it counts. Empty: it was deleted meanwhile.
struct OpenSegment {
  std::unique_ptr<File> file;
  uint64_t limit = 0;
};
Result<std::optional<OpenSegment>> open_segment(FileSystem& files, const std::string& directory, const LogPosition& end,
                                                Offset base) {
  auto file = files.open(names::segment(directory, base, SegmentFile::log), OpenMode::read);
  if (!file && file.error().code == Errc::not_found) return std::nullopt;
  PG_CHECK(file);
  if (base == end.active_segment) return OpenSegment{std::move(*file), static_cast<uint64_t>(end.segment_bytes)};
  PG_ASSIGN(const FileInfo info, (*file)->info());
  return OpenSegment{std::move(*file), info.size_bytes};
}

// Adds to `entries` what a segment has of each producer, or of the producer `only`.
Result<> scan_segment(FileSystem& files, const std::string& directory, const LogPosition& end, Offset base,
                      std::optional<int64_t> only, ProducerEntries& entries) {
  PG_ASSIGN(const auto segment, open_segment(files, directory, end, base));
  if (!segment) return {};
  BatchScanner scanner(*segment->file);
  for (;;) {
    PG_ASSIGN(const auto batch, scanner.next_header(segment->limit));
    if (!batch) return {};
    const int64_t id = batch->header.producer.id;
    const bool wanted = id >= 0 && (!only || id == *only);
    if (wanted && batch->header.is_control()) {
      PG_ASSIGN(const auto whole, scanner.next(segment->limit));
      PG_ASSIGN(const auto control, control_of(*whole));
      note_batch(entries, batch->header, control);
      continue;
    }
    if (wanted) note_batch(entries, batch->header);
    scanner.skip(*batch);
  }
}

// Empty where there is none that could be believed.
ProducerEntries read_snapshot(FileSystem& files, const std::string& directory, Offset base) {
  const auto bytes = files.read_all(names::segment(directory, base, SegmentFile::snapshot));
  if (!bytes) return {};
  return parse_producer_snapshot(*bytes).value_or(ProducerEntries{});
}

Result<> try_to_save(const Env& env, const std::string& directory, const LogPosition& position, Offset next) {
  ProducerEntries entries = read_snapshot(env.files, directory, position.active_segment);
  if (position.producer_batches > 0)
    PG_CHECK(scan_segment(env.files, directory, position, position.active_segment, {}, entries));
  if (entries.empty()) return {};
  return env.files.replace(names::segment(directory, next, SegmentFile::snapshot), write_producer_snapshot(entries));
}

}  // namespace

Result<int64_t> count_written(PartitionLog& log, int64_t producer_id, Offset start, Deadline deadline) {
  FileSystem& files = log.env().files;
  PG_ASSIGN(const auto state, log.state(deadline));
  // No batch may move to another segment between two that are looked into.
  SegmentList segments(log.env(), *state, log.directory());
  PG_ASSIGN(const HeldLock kept, segments.keep(deadline));
  const LogPosition end = state->position();
  PG_ASSIGN(const auto bases, list_segments(files, log.directory()));
  for (size_t i = bases.size(); i-- > 0;) {
    if (bases[i] > end.active_segment) continue;
    const bool is_last = bases[i] == end.active_segment;
    if (!is_last && i + 1 < bases.size() && bases[i + 1] <= start) break;
    ProducerEntries found;
    PG_CHECK(scan_segment(files, log.directory(), end, bases[i], producer_id, found));
    if (!found.empty()) return found.begin()->second.end_count();
    const auto known = read_snapshot(files, log.directory(), bases[i]);
    if (const auto entry = known.find(producer_id); entry != known.end()) return entry->second.end_count();
  }
  return 0;
}

Result<std::optional<KnownProducers>> known_producers(PartitionLog& log, Offset log_start) {
  FileSystem& files = log.env().files;
  const auto state = log.current_state();
  if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", log.name()));
  const LogPosition position = state->position();
  KnownProducers known{position.active_segment, read_snapshot(files, log.directory(), position.active_segment)};
  const auto in_transaction = [](const auto& entry) { return entry.second.in_transaction(); };
  if (!state->may_be_transactional() && std::ranges::none_of(known.entries, in_transaction)) return std::nullopt;
  PG_ASSIGN(const auto bases, list_segments(files, log.directory()));
  for (size_t i = bases.size(); i-- > 0 && known.entries.empty() && bases[i] > log_start;) {
    if (bases[i] < position.active_segment) known = {bases[i], read_snapshot(files, log.directory(), bases[i])};
  }
  if (known.entries.empty()) known.base = log_start;
  return known;
}

Result<std::optional<ControlRecord>> control_of(const ScannedBatch& batch) {
  if (!batch.header.is_control() || batch.bytes.size() < batch.header.size_bytes()) return std::nullopt;
  PG_ASSIGN(const auto control, read_control_batch(batch.bytes, batch.header));
  return control;
}

Result<WrittenBatches> WrittenBatches::open(PartitionLog& log, int64_t producer_id, Offset start) {
  WrittenBatches batches(log, producer_id);
  batches.end_ = log.current_state()->position();
  PG_ASSIGN(batches.later_, list_segments(log.env().files, log.directory()));
  auto& later = batches.later_;
  std::erase_if(later, [&](Offset base) { return base > batches.end_.active_segment; });
  if (const auto first = segment_of(later, start)) std::erase_if(later, [&](Offset base) { return base < *first; });
  std::reverse(later.begin(), later.end());
  return batches;
}

Result<std::optional<ScannedBatch>> WrittenBatches::next() {
  for (;;) {
    if (!scanner_) {
      PG_ASSIGN(const bool more, open_next_segment());
      if (!more) return std::nullopt;
    }
    PG_ASSIGN(const auto header, scanner_->next_header(limit_));
    if (!header) {
      scanner_.reset();
    } else if (header->header.producer.id == producer_id_) {
      return scanner_->next(limit_);
    } else {
      scanner_->skip(*header);
    }
  }
}

Result<bool> WrittenBatches::open_next_segment() {
  while (!later_.empty()) {
    const Offset base = later_.back();
    later_.pop_back();
    PG_ASSIGN(auto segment, open_segment(log_->env().files, log_->directory(), end_, base));
    if (!segment) continue;
    file_ = std::move(segment->file);
    limit_ = segment->limit;
    scanner_.emplace(*file_);
    return true;
  }
  return false;
}

void save_producers(const Env& env, const std::string& directory, const LogPosition& position, Offset next) {
  const auto saved = try_to_save(env, directory, position, next);
  if (!saved) env.notice(fmt::format("no producer snapshot at offset {}: {}", next.value, saved.error().message()));
}

}  // namespace pg
