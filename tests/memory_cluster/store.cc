// The file: entries behind one another, each "create TOPIC" or one record of a topic. Integers are big-endian; a length
// of -1 is null.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/os/unique_fd.h"
#include "tests/memory_cluster/memory_cluster.h"

namespace memory {

using namespace pilgrimage;

namespace {

enum class Entry : int64_t { topic, record };

tl::unexpected<Error> failed(const char* what, const std::string& path) {
  return fail(Errc::io, what, path, {}, errno);
}

void put(std::string& out, int64_t number) {
  std::byte bytes[8];
  pg::store_big_endian(bytes, number);
  out.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

void put(std::string& out, std::optional<std::string_view> bytes) {
  put(out, bytes ? static_cast<int64_t>(bytes->size()) : -1);
  out += bytes.value_or("");
}

// Takes entries apart. A test's file is trusted.
struct Parser {
  std::string_view rest;

  int64_t number() {
    const auto value = pg::load_big_endian<int64_t>(reinterpret_cast<const std::byte*>(rest.data()));
    rest.remove_prefix(sizeof value);
    return value;
  }
  std::optional<std::string_view> bytes() {
    const int64_t size = number();
    if (size < 0) return std::nullopt;
    const auto found = rest.substr(0, static_cast<size_t>(size));
    rest.remove_prefix(found.size());
    return found;
  }
};

std::string entry_of(const std::string& topic, const ConsumedRecord& record) {
  std::string entry;
  put(entry, static_cast<int64_t>(Entry::record));
  put(entry, std::string_view(topic));
  put(entry, record.timestamp_ms);
  put(entry, record.key);
  put(entry, record.value);
  put(entry, int64_t{record.header_count});
  put(entry, pg::as_text(record.header_bytes));
  return entry;
}

}  // namespace

// `file` is locked.
Result<> Store::read_on(int file) {
  struct stat status = {};
  if (fstat(file, &status) != 0) return failed("cannot look at", path_);
  std::string fresh(static_cast<size_t>(status.st_size) - seen_, '\0');
  if (pread(file, fresh.data(), fresh.size(), static_cast<off_t>(seen_)) != static_cast<ssize_t>(fresh.size()))
    return failed("cannot read", path_);
  seen_ += fresh.size();
  for (Parser parser{fresh}; !parser.rest.empty();) {
    const auto kind = static_cast<Entry>(parser.number());
    const std::string name(parser.bytes().value_or(""));
    auto& topic = topics_[name];
    if (!topic) topic = std::make_shared<Topic>(Topic{{name, PartitionId(0)}, {}});
    if (kind == Entry::topic) continue;
    ConsumedRecord record;
    record.source = &topic->partition;
    record.leader_epoch = LeaderEpoch(0);
    record.offset = Offset(static_cast<int64_t>(topic->records.size()));
    record.timestamp_ms = parser.number();
    record.key = parser.bytes();
    record.value = parser.bytes();
    record.header_count = static_cast<int32_t>(parser.number());
    record.header_bytes = pg::as_bytes(parser.bytes().value_or(""));
    topic->records.emplace_back(record);
  }
  return {};
}

Result<> Store::write(const std::string& bytes) {
  const pg::UniqueFd file(open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (file.get() < 0 || flock(file.get(), LOCK_EX) != 0) return failed("cannot open", path_);
  PG_CHECK(read_on(file.get()));
  if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return failed("cannot write", path_);
  return read_on(file.get());
}

Result<> Store::catch_up() {
  const std::lock_guard guard(mutex_);
  const pg::UniqueFd file(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return {};
  if (file.get() < 0 || flock(file.get(), LOCK_SH) != 0) return failed("cannot open", path_);
  return read_on(file.get());
}

std::shared_ptr<const Topic> Store::find(const std::string& name) {
  const std::lock_guard guard(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

Result<> Store::create(const std::string& name) {
  const std::lock_guard guard(mutex_);
  std::string entry;
  put(entry, static_cast<int64_t>(Entry::topic));
  put(entry, std::string_view(name));
  return write(entry);
}

Result<Offset> Store::append(const std::string& name, const std::vector<OwnedRecord>& records) {
  const std::lock_guard guard(mutex_);
  std::string entries;
  for (const auto& record : records) entries += entry_of(name, record.view());
  PG_CHECK(write(entries));
  return topics_.at(name)->records.back().offset() + (1 - static_cast<int64_t>(records.size()));
}

}  // namespace memory
