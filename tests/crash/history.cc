#include "tests/crash/history.h"

#include <fmt/format.h>

#include <algorithm>

namespace pg::crash {
namespace {

std::string text_of(const Entry& entry) {
  return fmt::format("{}={}", entry.key.value_or("(null)"), entry.value.value_or("(null)"));
}

}  // namespace

void LogHistory::trying(const std::vector<Entry>& entries) {
  for (const auto& entry : entries) {
    if (entry.value)
      tried_.insert(*entry.value);
    else
      tried_tombstones_.insert(*entry.key);
  }
}

void LogHistory::wrote(Offset base, const std::vector<Entry>& entries) {
  if (base < end_) throw Violation(fmt::format("offset {} was given twice", base.value));
  for (const auto& entry : entries) {
    written_[base.value] = entry;
    base = base + 1;
  }
  end_ = base;
}

void LogHistory::flushed(Offset end) {
  flushed_ = std::max(flushed_, end);
  end_ = std::max(end_, end);  // records of an append that failed may be among those
}

void LogHistory::deleted_below(Offset end) {
  start_ = std::max(start_, end);
  deleting_below(end);
}

void LogHistory::damaging(Offset offset) {
  is_damaged_ = true;
  damaged_.insert(offset.value);
}

void LogHistory::losing_unflushed() {
  for (int64_t offset = flushed_.value; offset < end_.value; ++offset) damaged_.insert(offset);
  may_have_holes_ = true;
}

void LogHistory::check(const Contents& found, Loss loss) {
  const Offset kept = loss == Loss::none ? end_ : flushed_;
  check_bounds(found, kept);
  check_found(found);
  check_missing(found, kept);
  written_ = found.records;
  end_ = found.end;
  may_have_holes_ = false;
  start_ = start_max_ = found.start;
}

void LogHistory::check_bounds(const Contents& found, Offset kept) const {
  if (found.end < kept)
    throw Violation(fmt::format("the log ends at {}, and {} was kept", found.end.value, kept.value));
  if (found.start < start_ || found.start > start_max_) {
    throw Violation(fmt::format("the log starts at {}, which was set to {} or at most {}", found.start.value,
                                start_.value, start_max_.value));
  }
}

// Nothing is invented, and no offset has got another value.
void LogHistory::check_found(const Contents& found) const {
  std::set<std::string> values;
  for (const auto& [offset, entry] : found.records) {
    const bool was_tried =
        entry.value ? tried_.contains(*entry.value) : tried_tombstones_.contains(entry.key.value_or(""));
    if (!was_tried) throw Violation(fmt::format("nobody wrote {} at {}", text_of(entry), offset));
    if (entry.value && !values.insert(*entry.value).second)
      throw Violation(fmt::format("{} is there twice", text_of(entry)));
    const auto known = written_.find(offset);
    if (known != written_.end() && known->second != entry) {
      throw Violation(
          fmt::format("offset {} has become {}, and was {}", offset, text_of(entry), text_of(known->second)));
    }
  }
}

// Nothing is lost: not what was kept, and nothing from the middle.
void LogHistory::check_missing(const Contents& found, Offset kept) const {
  for (const auto& [offset, entry] : written_) {
    const bool out_of_sight = Offset(offset) < found.start || Offset(offset) >= std::max(kept, found.end);
    if (out_of_sight || found.records.contains(offset) || may_be_missing(offset, entry, found)) continue;
    throw Violation(fmt::format("{} is missing at {}", text_of(entry), offset));
  }
  for (int64_t offset = std::max(kept, found.start).value; offset < found.end.value && !compacted_ && !may_have_holes_;
       ++offset) {
    if (found.records.contains(offset) || damaged_.contains(offset)) continue;
    throw Violation(fmt::format("there is a hole at {}", offset));
  }
}

// Damaged by hand, a tombstone, or followed by a record of the same key.
bool LogHistory::may_be_missing(int64_t offset, const Entry& entry, const Contents& found) const {
  if (damaged_.contains(offset)) return true;
  if (!compacted_ || !entry.key) return false;
  if (!entry.value) return true;
  const auto has_successor = [&](const std::map<int64_t, Entry>& records, bool only_tombstones) {
    return std::any_of(records.upper_bound(offset), records.end(), [&](const auto& later) {
      return later.second.key == entry.key && !(only_tombstones && later.second.value);
    });
  };
  return has_successor(found.records, false) || has_successor(written_, true);
}

}  // namespace pg::crash
