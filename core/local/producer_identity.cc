#include "core/local/producer_identity.h"

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/format/path_names.h"

namespace pg {

Result<> ProducerIdentity::check_name(const std::string& name) {
  if (!name.empty() && name.size() <= kProducerNameBytesMax) return {};
  return fail(Errc::invalid_argument, fmt::format("a producer's name has 1 to {} bytes", kProducerNameBytesMax));
}

Result<std::unique_ptr<ProducerIdentity>> ProducerIdentity::claim(Home& home, const std::string& name,
                                                                  const TopicMetadata& topic,
                                                                  const std::vector<PartitionLog*>& logs,
                                                                  Deadline deadline) {
  PG_CHECK(check_name(name));
  PG_CHECK(
      home.env().files.make_directories_in(names::topics_directory(home.path()), names::locks_directory(home.path())));
  PG_ASSIGN(auto table, LogTable::open(home, kProducerIdsTable, deadline));
  std::unique_ptr<ProducerIdentity> made(new ProducerIdentity(home, {name, topic.name}, std::move(table)));
  for (;;) {
    PG_ASSIGN(made->row_, made->find_or_make(topic, logs, deadline));
    // A row that was read before its lock was taken may have changed since: it is read once more.
    if (made->locked_id_ == made->row_.producer_id) break;
    PG_CHECK(made->lock(made->row_.producer_id));
  }
  if (made->row_.partitions.size() != topic.partitions.size()) {
    return fail(Errc::conflict,
                fmt::format("topic '{}' has {} partitions, and had {} when input id '{}' was first used", topic.name,
                            topic.partitions.size(), made->row_.partitions.size(), name));
  }
  return made;
}

Result<ProducerNameRow> ProducerIdentity::find_or_make(const TopicMetadata& topic,
                                                       const std::vector<PartitionLog*>& logs, Deadline deadline) {
  const auto decide = [&](const std::optional<std::string>& current) -> Result<std::optional<std::string>> {
    is_new_ = false;
    if (current) {
      PG_ASSIGN(const ProducerNameRow row, parse_producer_name_row(*current));
      if (row.topic_id == topic.id) return std::nullopt;
    }
    // 53 bits, which every reader of JSON keeps.
    ProducerNameRow row{static_cast<int64_t>(home_.env().random.next() >> 11), topic.id, {}};
    // The lock first: once the row is there, others may find it.
    PG_CHECK(lock(row.producer_id));
    for (PartitionLog* log : logs) {
      PG_ASSIGN(const auto state, log->state(deadline));
      // What is flushed, on all replicas in sync, stays, so that no record of the producer can ever lie below.
      row.partitions.push_back({0, state->flushed_everywhere()});
    }
    is_new_ = true;
    return write_producer_name_row(row);
  };
  PG_ASSIGN(const auto row, table_.change(write_producer_name_key(key_), decide, deadline));
  return parse_producer_name_row(row.value_or(""));
}

Result<> ProducerIdentity::lock(int64_t producer_id) {
  unlock();
  FileSystem& files = home_.env().files;
  if (!lock_file_) {
    PG_ASSIGN(lock_file_, files.open_lock(names::producers_lock(home_.path()), Access::read_write));
  }
  // Ids are random, so that two of them hardly ever share a byte; if they do, one waits for the other without need.
  auto taken =
      HeldLock::acquire(*lock_file_, static_cast<uint32_t>(producer_id), LockMode::exclusive, home_.env().clock.now());
  if (!taken && taken.error().code == Errc::timed_out) {
    return fail(Errc::busy,
                fmt::format("input id '{}' is in use for topic '{}'{}", key_.name, key_.topic, holder(producer_id)));
  }
  PG_ASSIGN(lock_, std::move(taken));
  locked_id_ = producer_id;
  // For people only: the lock is the kernel's.
  const auto file = files.open(names::producer_holder(home_.path(), producer_id), OpenMode::create);
  if (file && (*file)->truncate(0))
    (void)(*file)->write_at(0, as_bytes(fmt::format("{}\n", home_.env().process().pid)));
  return {};
}

void ProducerIdentity::unlock() {
  if (locked_id_ < 0) return;
  (void)home_.env().files.unlink(names::producer_holder(home_.path(), locked_id_));
  lock_ = HeldLock();
  locked_id_ = -1;
}

std::string ProducerIdentity::holder(int64_t producer_id) const {
  const auto text = home_.env().files.read_all(names::producer_holder(home_.path(), producer_id));
  const auto pid =
      text && !text->empty() ? parse_integer(std::string_view(*text).substr(0, text->size() - 1)) : std::nullopt;
  return pid ? fmt::format(" by process {}", *pid) : "";
}

Result<> ProducerIdentity::raise(const std::vector<int64_t>& counts, Deadline deadline) {
  ProducerNameRow raised = row_;
  for (size_t p = 0; p < counts.size(); ++p) raised.partitions[p].count = counts[p];
  const std::string row = write_producer_name_row(raised);
  const auto decide = [&](const std::optional<std::string>& current) -> Result<std::optional<std::string>> {
    if (current == write_producer_name_row(row_)) return row;
    if (current == row) return std::nullopt;  // an election made that unknown for a moment
    return fail(Errc::not_found, fmt::format("topic '{}' was deleted and made again", key_.topic));
  };
  PG_CHECK(table_.change(write_producer_name_key(key_), decide, deadline));
  row_ = std::move(raised);
  return {};
}

}  // namespace pg
