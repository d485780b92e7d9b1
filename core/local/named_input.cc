#include "core/local/named_input.h"

#include <fmt/format.h>

#include <algorithm>

namespace pg {
namespace {

bool same_headers(const std::vector<Header>& headers, const RecordView& there) {
  if (headers.size() != static_cast<size_t>(there.header_count)) return false;
  if (headers.empty()) return true;
  const auto others = there.headers();
  return std::equal(headers.begin(), headers.end(), others.begin(),
                    [](const Header& a, const Header& b) { return a.name == b.name && a.value == b.value; });
}

// What differs, timestamps aside; nullptr: nothing does.
const char* difference(const Record& record, const RecordView& there) {
  if (record.value != there.value) return "value";
  if (record.key != there.key) return "key";
  return same_headers(record.headers, there) ? nullptr : "headers";
}

}  // namespace

Result<std::unique_ptr<NamedInput>> NamedInput::open(std::unique_ptr<ProducerIdentity> identity,
                                                     const std::vector<PartitionLog*>& logs, Deadline deadline) {
  std::unique_ptr<NamedInput> input(new NamedInput(std::move(identity)));
  const ProducerNameRow& row = input->identity_->row();
  for (size_t p = 0; p < logs.size(); ++p) {
    Part part;
    part.log = logs[p];
    part.noted = part.written = row.partitions[p].count;
    if (!input->identity_->is_new()) {
      // Settles what an earlier run has left unpublished: it becomes a part of the log now, or never.
      PG_CHECK(logs[p]->await_appends(deadline));
      PG_ASSIGN(const int64_t written, count_written(*logs[p], row.producer_id, row.partitions[p].start, deadline));
      part.written = std::max(part.written, written);
    }
    part.appended = part.written;
    input->noted_ += part.noted;
    if (part.written > 0) ++input->unreached_;
    input->parts_.push_back(std::move(part));
  }
  return input;
}

PartitionId NamedInput::place(const std::optional<std::string_view>& key, Partitioner& partitioner) const {
  if (partitioner.follows_from(key)) return partitioner.choose(key);
  return PartitionId(static_cast<int32_t>(taken_ % static_cast<int64_t>(parts_.size())));
}

Result<bool> NamedInput::take(const Record& record, PartitionId partition) {
  if (failed_) return tl::unexpected(*failed_);
  Part& p = part(partition);
  ++taken_;
  const auto is_there = take_counted(p, record, p.taken++);
  if (!is_there) failed_ = is_there.error();
  return is_there;
}

Result<bool> NamedInput::take_counted(Part& p, const Record& record, int64_t count) {
  if (taken_ <= noted_ && count >= p.noted) {
    return fail(Errc::conflict,
                fmt::format("this is not one of the first {} records that were written to '{}' under this "
                            "input id",
                            noted_, p.log->spec().partition.topic));
  }
  if (count >= p.written) {
    if (count > ProducerStamp::kCountMax) return fail(Errc::limit, "more records than a producer id can count");
    return false;
  }
  PG_CHECK(compare(p, record, count));
  ++skipped_;
  if (p.taken == p.written) {
    --unreached_;
    p.records.reset();
    p.batches.reset();
    p.decompressor.reset();
  }
  return true;
}

void NamedInput::refuse(PartitionId partition) {
  --part(partition).taken;
  --taken_;
}

Result<> NamedInput::compare(Part& p, const Record& record, int64_t count) {
  PG_ASSIGN(const bool found, find(p, count));
  if (!found) {
    ++gone_;
    return {};
  }
  const char* what = difference(record, p.record);
  if (what == nullptr) return {};
  return fail(Errc::conflict,
              fmt::format("its {} differs from that of offset {} in '{}', where this record was written "
                          "under this input id",
                          what, p.record.offset.value, p.log->name()));
}

// Goes on to the record with this count; false: the log has it no longer.
Result<bool> NamedInput::find(Part& p, int64_t count) {
  const ProducerNameRow& row = identity_->row();
  if (!p.batches) {
    p.decompressor = std::make_unique<Decompressor>();
    const auto number = static_cast<size_t>(p.log->spec().partition.partition.value);
    PG_ASSIGN(p.batches, WrittenBatches::open(*p.log, row.producer_id, row.partitions[number].start));
  }
  while (p.record_count < count) {
    if (p.records) {
      PG_ASSIGN(const bool more, p.records->next(p.record));
      if (more) {
        p.record_count = p.batch_count + (p.record.offset - p.batch_offset);
        continue;
      }
      p.records.reset();
    }
    PG_ASSIGN(const auto batch, p.batches->next());
    if (!batch) return false;
    PG_ASSIGN(p.records, RecordCursor::begin(batch->bytes, batch->header, *p.decompressor));
    p.batch_count = batch->header.producer.count();
    p.batch_offset = batch->header.base_offset;
  }
  return p.record_count == count;
}

Result<> NamedInput::check_end() const {
  if (!comparing() || taken_ == skipped_) return {};
  for (const Part& p : parts_) {
    if (p.taken >= p.written) continue;
    return fail(Errc::conflict,
                fmt::format("the input lacks the last {} records that were written to '{}' under this input "
                            "id, and has others",
                            p.written - p.taken, p.log->name()));
  }
  return {};
}

bool NamedInput::begins_epoch(PartitionId partition) const {
  return ProducerStamp::of(0, part(partition).taken - 1).sequence == 0;
}

ProducerStamp NamedInput::next_stamp(PartitionId partition) const {
  return ProducerStamp::of(identity_->row().producer_id, part(partition).appended);
}

void NamedInput::appended(PartitionId partition, int32_t record_count) { part(partition).appended += record_count; }

Result<> NamedInput::save(Deadline deadline) {
  if (taken_ <= noted_ || failed_) return {};
  std::vector<int64_t> counts;
  for (const Part& p : parts_) {
    if (p.taken > p.appended) return {};
    counts.push_back(p.taken);
  }
  return identity_->raise(counts, deadline);
}

bool NamedInput::has_skipped(PartitionId partition) const {
  const Part& p = part(partition);
  return std::min(p.taken, p.written) > 0;
}

int64_t NamedInput::missing() const {
  int64_t records = 0;
  for (const Part& p : parts_) records += std::max<int64_t>(0, p.written - p.taken);
  return records;
}

}  // namespace pg
