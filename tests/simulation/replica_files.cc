#include "tests/simulation/replica_files.h"

#include <algorithm>

namespace pg::sim {

Entry* ReplicaFiles::find(Offset offset) {
  if (offset < first_ || offset >= end()) return nullptr;
  return &entries_[static_cast<size_t>(offset - first_)];
}

bool ReplicaFiles::has_unreadable() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.unreadable; });
}

void ReplicaFiles::append(const Entry& entry) { entries_.push_back(entry); }

void ReplicaFiles::sync() {
  synced_ = end();
  cut_off_.clear();
}

void ReplicaFiles::cut(Offset at) {
  if (at >= end()) return;
  const auto from = entries_.begin() + (at - first_);
  if (cut_off_.empty() || at < cut_at_) {
    cut_off_.assign(from, entries_.end());
    cut_at_ = at;
  }
  entries_.erase(from, entries_.end());
  synced_ = std::min(synced_, at);
  lowest_end = std::min(lowest_end, at);
}

void ReplicaFiles::restart(Offset start) {
  entries_.clear();
  first_ = start;
  known_damage = false;
  sync();
  lowest_end = Offset(0);
}

void ReplicaFiles::lose_page() {
  if (page) page->stale = true;
  page.reset();
}

void ReplicaFiles::cut_power(SeededRandom& random) {
  lose_page();
  append_lock = flush_lock = {};
  const auto some = [&](int64_t most) { return static_cast<int64_t>(random.below(static_cast<uint64_t>(most) + 1)); };
  if (!cut_off_.empty() && random.one_in(2)) {
    const auto back = cut_off_.begin() + some(std::ssize(cut_off_));
    entries_.erase(entries_.begin() + (cut_at_ - first_), entries_.end());
    entries_.insert(entries_.end(), cut_off_.begin(), back);
  } else {
    entries_.erase(entries_.begin() + (synced_ - first_) + some(end() - synced_), entries_.end());
  }
  sync();
  lowest_end = Offset(0);
  if (random.one_in(2)) epochs_ = epochs_synced_;
  sync_epochs();
}

}  // namespace pg::sim
