#include "core/log/repair_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/log/batch_scanner.h"

namespace pg {
namespace {

class SegmentPlanner {
 public:
  SegmentPlanner(const File& log, uint64_t limit, Offset base, Offset end, const EpochHistory& epochs,
                 const GapRule& gaps)
      : log_(log), limit_(limit), epochs_(epochs), gaps_(gaps), expected_(base), scanner_(log) {
    plan_.base = base;
    plan_.end = end;
  }

  Result<SegmentRepair> run();

 private:
  void keep(const ScannedBatch& batch);
  Result<bool> place(const ScannedBatch& batch);
  Result<bool> is_gap(const ScannedBatch& batch) const;
  Result<bool> belongs_here(const BatchHeader& header) const;
  Result<> pass_loss(uint64_t from, std::string reason);
  void add(RepairPiece::Kind kind, uint64_t from, uint64_t to, Offset end, std::string reason);

  const File& log_;
  const uint64_t limit_;
  const EpochHistory& epochs_;
  const GapRule gaps_;
  Offset expected_;
  BatchScanner scanner_;
  SegmentRepair plan_;
};

Result<SegmentRepair> SegmentPlanner::run() {
  while (scanner_.position() < limit_) {
    const uint64_t at = scanner_.position();
    const auto batch = scanner_.next(limit_);
    if (!batch && batch.error().code != Errc::corrupt) return tl::unexpected(batch.error());
    if (!batch) {
      PG_CHECK(pass_loss(at, batch.error().what));
      continue;
    }
    PG_ASSIGN(const bool placed, place(**batch));
    if (placed) continue;
    PG_CHECK(pass_loss(at, fmt::format("batch has base offset {} where {} was expected",
                                       (*batch)->header.base_offset.value, expected_.value)));
  }
  if (expected_ < plan_.end && !gaps_.allows(expected_, plan_.end)) {
    add(RepairPiece::Kind::lost, limit_, limit_, plan_.end, "missing at the end of the segment");
  }
  return std::move(plan_);
}

// Keeps an intact batch, unless nothing tells which offsets its records have (false).
Result<bool> SegmentPlanner::place(const ScannedBatch& batch) {
  const BatchHeader& header = batch.header;
  const uint64_t at = batch.position;
  const Offset base = header.base_offset;
  PG_ASSIGN(const bool gap, is_gap(batch));
  if (gap) expected_ = base;
  if (expected_ == base && header.end_offset() <= plan_.end) {
    keep(batch);
    return true;
  }
  PG_ASSIGN(const bool ours, belongs_here(header));
  if (ours) {
    add(RepairPiece::Kind::restored, at, scanner_.position(), expected_ + header.last_offset_delta + 1,
        fmt::format("batch has base offset {} where {} was expected", base.value, expected_.value));
    return true;
  }
  PG_ASSIGN(const auto next, next_base_offset(log_, scanner_.position(), limit_, plan_.end));
  if (base < expected_ || header.end_offset() > plan_.end || next != header.end_offset()) return false;
  add(RepairPiece::Kind::lost, at, at, base,
      fmt::format("offsets {} to {} are missing before this batch", expected_.value, base.value - 1));
  keep(batch);
  return true;
}

// Whether the offsets before the batch are an allowed gap.
Result<bool> SegmentPlanner::is_gap(const ScannedBatch& batch) const {
  if (!gaps_.allows(expected_, batch.header.base_offset)) return false;
  return is_plausible(log_, batch, limit_, plan_.base, plan_.end);
}

void SegmentPlanner::keep(const ScannedBatch& batch) {
  const uint64_t from = batch.position, to = from + batch.header.size_bytes();
  const LeaderEpoch epoch = epoch_at(epochs_, expected_);
  if (!epochs_.empty() && batch.header.leader_epoch != epoch && batch.header.leader_epoch != LeaderEpoch(-1)) {
    add(RepairPiece::Kind::restored, from, to, batch.header.end_offset(),
        fmt::format("batch has leader epoch {} where {} was expected", batch.header.leader_epoch.value, epoch.value));
  } else {
    add(RepairPiece::Kind::intact, from, to, batch.header.end_offset(), "");
  }
}

// A batch with intact records and a base offset that is not the expected one is the expected one all the same, if the
// next batch, or the next segment, begins just where it would then end.
Result<bool> SegmentPlanner::belongs_here(const BatchHeader& header) const {
  const Offset end = expected_ + header.last_offset_delta + 1;
  if (scanner_.position() >= limit_) return end == plan_.end;
  BatchScanner ahead(log_, scanner_.position());
  const auto next = ahead.next(limit_);
  if (!next && next.error().code != Errc::corrupt) return tl::unexpected(next.error());
  return next && *next && (*next)->header.base_offset == end;
}

// Everything from byte `from` to the next batch that can stand there is lost. A base offset lies outside the CRC: one
// that what follows contradicts would take all of that with it.
Result<> SegmentPlanner::pass_loss(uint64_t from, std::string reason) {
  Offset end = plan_.end;
  scanner_.seek(limit_);
  for (uint64_t at = from;;) {
    PG_ASSIGN(const auto next, find_intact_batch(log_, at + 1, limit_, expected_, plan_.end + -1));
    if (!next) break;
    at = *next;
    BatchScanner ahead(log_, at);
    PG_ASSIGN(const auto batch, ahead.next_header(limit_));
    PG_ASSIGN(const bool plausible, is_plausible(log_, *batch, limit_, plan_.base, plan_.end));
    if (!plausible) continue;
    end = batch->header.base_offset;
    scanner_.seek(at);
    break;
  }
  add(RepairPiece::Kind::lost, from, scanner_.position(), end, std::move(reason));
  return {};
}

void SegmentPlanner::add(RepairPiece::Kind kind, uint64_t from, uint64_t to, Offset end, std::string reason) {
  auto& pieces = plan_.pieces;
  const bool joins = !pieces.empty() && pieces.back().kind == kind && kind != RepairPiece::Kind::restored;
  if (joins) {
    pieces.back().to = to;
    pieces.back().end = end;
  } else {
    pieces.push_back({kind, from, to, expected_, end, std::move(reason)});
  }
  expected_ = end;
}

}  // namespace

bool SegmentRepair::is_intact() const {
  return std::all_of(pieces.begin(), pieces.end(),
                     [](const RepairPiece& p) { return p.kind == RepairPiece::Kind::intact; });
}

Offset SegmentRepair::leave_out_missing_end() {
  const bool only_end = pieces.size() == 2 && pieces[0].kind == RepairPiece::Kind::intact &&
                        pieces[1].kind == RepairPiece::Kind::lost && pieces[1].from == pieces[1].to;
  if (only_end) {
    end = pieces[0].end;
    pieces.pop_back();
  }
  return end;
}

Result<SegmentRepair> plan_segment_repair(const File& log, uint64_t limit, Offset base, Offset end,
                                          const EpochHistory& epochs, const GapRule& gaps) {
  return SegmentPlanner(log, limit, base, end, epochs, gaps).run();
}

}  // namespace pg
