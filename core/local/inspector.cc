#include "core/local/inspector.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/segment_files.h"
#include "core/log/segment_list.h"

namespace pg {
namespace {

using names::SegmentFile;

class Dumper {
 public:
  Dumper(const Env& env, const DumpOptions& options, const DumpVisitor& visitor, Offset from, Offset to)
      : env_(env), options_(options), visitor_(visitor), from_(from), to_(to) {}

  // `limit`: bytes that count; beyond them is a dead writer's tail.
  Result<> segment(const std::string& path, Offset base, uint64_t limit);
  Result<> indexes(const std::string& directory, Offset base);

 private:
  Result<> batch(BatchScanner& scanner, uint64_t limit, const std::string& path);
  void fault(const std::string& path, uint64_t position, std::string reason) {
    if (visitor_.fault) visitor_.fault({path, position, expected_, std::move(reason)});
  }
  template <class Entry, class Visit>
  Result<> index(const std::string& path, Offset base, const Visit& visit);

  const Env& env_;
  const DumpOptions& options_;
  const DumpVisitor& visitor_;
  Offset from_, to_;
  Offset expected_;
  Decompressor decompressor_;
};

Result<> Dumper::segment(const std::string& path, Offset base, uint64_t limit) {
  PG_ASSIGN(const auto file, env_.files.open(path, OpenMode::read));
  PG_ASSIGN(const FileInfo info, file->info());
  limit = std::min(limit, info.size_bytes);
  if (visitor_.segment) visitor_.segment(path, base, limit);
  expected_ = base;
  BatchScanner scanner(*file);
  while (scanner.position() < limit) {
    const auto done = batch(scanner, limit, path);
    if (done) continue;
    if (done.error().code != Errc::corrupt && done.error().code != Errc::unsupported_version) return done;
    fault(path, scanner.position(), done.error().what);
    PG_ASSIGN(const auto next,
              find_intact_batch(*file, scanner.position() + 1, limit, expected_, offset_limit(expected_, limit)));
    if (!next) break;
    scanner.seek(*next);
  }
  return {};
}

Result<> Dumper::batch(BatchScanner& scanner, uint64_t limit, const std::string& path) {
  PG_ASSIGN(const auto header, scanner.next_header(limit));
  auto whole = scanner.next(limit);
  DumpedBatch dumped{whole && *whole ? **whole : *header, whole.has_value()};
  const bool wanted = dumped.batch.header.end_offset() > from_ && dumped.batch.header.base_offset < to_;
  if (wanted && visitor_.batch) visitor_.batch(dumped);
  PG_CHECK(whole);
  expected_ = dumped.batch.header.end_offset();
  if (!wanted || !options_.records || !visitor_.record) return {};
  auto records = RecordCursor::begin(dumped.batch.bytes, dumped.batch.header, decompressor_);
  RecordView record;
  while (records) {
    const auto more = records->next(record);
    if (!more) fault(path, dumped.batch.position, more.error().what);
    if (!more || !*more) return {};
    if (record.offset >= from_ && record.offset < to_) visitor_.record(record);
  }
  fault(path, dumped.batch.position, records.error().what);
  return {};
}

template <class Entry, class Visit>
Result<> Dumper::index(const std::string& path, Offset base, const Visit& visit) {
  const auto content = env_.files.read_all(path);
  if (!content && content.error().code == Errc::not_found) return {};
  if (!content && content.error().code == Errc::io) {
    fault(path, 0, content.error().what);  // no reason to stop: the logs have all that an index has
    return {};
  }
  PG_CHECK(content);
  for (size_t at = 0; at + Entry::kBytes <= content->size(); at += Entry::kBytes) {
    const auto entry = Entry::read(as_bytes(*content).data() + at);
    if (visit) visit(path, at, base + entry.relative_offset, entry);
  }
  return {};
}

Result<> Dumper::indexes(const std::string& directory, Offset base) {
  if (!options_.index) return {};
  PG_CHECK(
      index<OffsetIndexEntry>(names::segment(directory, base, SegmentFile::offset_index), base, visitor_.offset_entry));
  return index<TimeIndexEntry>(names::segment(directory, base, SegmentFile::time_index), base, visitor_.time_entry);
}

}  // namespace

Result<VerifyTotals> verify_partition(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                      Deadline deadline, const std::function<void(const Fault&)>& report) {
  PG_ASSIGN(const auto log, home.open_partition(topic, partition, Access::read_only, deadline));
  return verify_log(*log, report);
}

namespace {

// The other brokers that have a copy of the partition.
std::string copies_elsewhere(const Home& home, const TopicMetadata& topic, PartitionId partition) {
  const PartitionMetadata& metadata = topic.partitions[static_cast<size_t>(partition.value)];
  std::string brokers;
  for (const BrokerId replica : metadata.replicas) {
    const bool there = home.env()
                           .files.info(names::partition_directory(home.log_directory(replica), {topic.name, partition}))
                           .has_value();
    if (replica != metadata.leader && there) brokers += fmt::format("{}{}", brokers.empty() ? "" : ", ", replica.value);
  }
  return brokers;
}

}  // namespace

Result<RepairTotals> repair_partition(const Home& home, const TopicMetadata& topic, PartitionId partition, bool apply,
                                      Deadline deadline, const std::function<void(const RepairItem&)>& report) {
  PG_ASSIGN(const PartitionLog::Spec spec, home.partition_spec(topic, partition, Access::read_write));
  if (spec.access == Access::read_only && apply) {
    return fail(Errc::unsupported_version,
                "this topic was changed by a newer version of pilgrimage: this one may only read it");
  }
  // What this copy has lost the others may have: it is made whole from them, not by leaving records out.
  if (const std::string others = spec.replicated ? copies_elsewhere(home, topic, partition) : ""; !others.empty()) {
    PG_ASSIGN(const RepairTotals needed, repair_log(home.env(), spec, false, deadline, [](const RepairItem&) {}));
    if (needed.nothing_to_do()) return needed;
    return fail(Errc::conflict, fmt::format("'{}-{}' has other copies, from which its brokers make this one whole "
                                            "while they run (broker {}): see 'pg-cluster status'",
                                            topic.name, partition.value, others));
  }
  return repair_log(home.env(), spec, apply, deadline, report);
}

Result<OffsetRange> offsets_of(const Home& home, const TopicMetadata& topic, PartitionId partition, Deadline deadline) {
  PG_ASSIGN(const auto log, home.open_partition(topic, partition, Access::read_only, deadline));
  const LogPosition position = log->current_state()->position();
  return OffsetRange{position.log_start, position.log_end};
}

Result<> dump_partition(const Home& home, const TopicMetadata& topic, PartitionId partition, Offset from, Offset to,
                        const DumpOptions& options, const DumpVisitor& visitor, Deadline deadline) {
  PG_ASSIGN(const auto log, home.open_partition(topic, partition, Access::read_only, deadline));
  const auto state = log->current_state();
  SegmentList list(home.env(), *state, log->directory());
  PG_ASSIGN(const HeldLock kept, list.keep(deadline));
  const LogPosition position = state->position();
  Dumper dumper(home.env(), options, visitor, from, to);
  PG_ASSIGN(const auto bases, list_segments(home.env().files, log->directory()));
  for (size_t i = 0; i < bases.size() && bases[i] <= position.active_segment && bases[i] < to; ++i) {
    if (i + 1 < bases.size() && bases[i + 1] <= from) continue;
    const bool active = bases[i] == position.active_segment;
    const uint64_t limit =
        active ? static_cast<uint64_t>(position.segment_bytes) : std::numeric_limits<uint64_t>::max();
    PG_CHECK(dumper.segment(names::segment(log->directory(), bases[i], SegmentFile::log), bases[i], limit));
    PG_CHECK(dumper.indexes(log->directory(), bases[i]));
  }
  return {};
}

Result<> dump_file(const Env& env, const std::string& path, Offset from, Offset to, const DumpOptions& options,
                   const DumpVisitor& visitor) {
  Dumper dumper(env, options, visitor, from, to);
  const auto base = names::parse_log(names::last_component(path));
  PG_CHECK(dumper.segment(path, base.value_or(Offset(0)), std::numeric_limits<uint64_t>::max()));
  return base ? dumper.indexes(parent_path(path), *base) : Result<>();
}

}  // namespace pg
