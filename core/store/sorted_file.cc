#include "core/store/sorted_file.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/crc32c.h"

namespace pg {
namespace {

constexpr std::string_view kMagic{"\1PGSORT\0", 8};
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 44;
constexpr size_t kEntryBytes = 28;
constexpr size_t kNoteBytesMax = 4096;
constexpr size_t kReadAheadMax = 256 << 10;
constexpr size_t kPendingBytes = 1 << 20;

template <class T>
void append(std::string& out, T value) {
  const size_t at = out.size();
  out.resize(at + sizeof value);
  store_big_endian(reinterpret_cast<std::byte*>(out.data() + at), value);
}

template <class T>
T load(std::string_view bytes, size_t at) {
  return load_big_endian<T>(as_bytes(bytes).data() + at);
}

uint32_t entry_crc(std::string_view fields, uint32_t row) {
  std::string number;
  append(number, row);
  return crc32c(as_bytes(number), crc32c(as_bytes(fields)));
}

}  // namespace

tl::unexpected<Error> SortedFile::damage(const char* why, uint64_t position) const {
  return fail(Errc::corrupt, why, file_->path(), static_cast<int64_t>(position));
}

Result<std::string> SortedFile::read(uint64_t position, size_t length) const {
  std::string bytes(length, '\0');
  PG_ASSIGN(const size_t got, file_->read_at(position, std::as_writable_bytes(std::span(bytes))));
  if (got < length) return damage("a sorted file ends early", position + got);
  return bytes;
}

Result<std::unique_ptr<SortedFile>> SortedFile::open(FileSystem& files, const std::string& path) {
  PG_ASSIGN(auto file, files.open(path, OpenMode::read));
  std::unique_ptr<SortedFile> opened(new SortedFile(std::move(file)));
  PG_CHECK(opened->read_header());
  return opened;
}

Result<> SortedFile::read_header() {
  PG_ASSIGN(std::string header, read(0, kHeaderBytes));
  if (!header.starts_with(kMagic)) return damage("no sorted file", 0);
  if (load<uint32_t>(header, 8) != kVersion || load<uint32_t>(header, 20) != 0) {
    return fail(Errc::unsupported_version, "a sorted file of another version", file_->path());
  }
  rows_ = load<uint32_t>(header, 24);
  const size_t note_length = load<uint32_t>(header, 28);
  table_ = load<uint64_t>(header, 32);
  content_ = kHeaderBytes + note_length;
  if (note_length > kNoteBytesMax) return damage("the header of a sorted file is spoilt", 0);
  PG_ASSIGN(note_, read(kHeaderBytes, note_length));
  const uint32_t crc = crc32c(as_bytes(note_), crc32c(as_bytes(std::string_view(header).substr(0, 40))));
  if (crc != load<uint32_t>(header, 40)) return damage("the header of a sorted file is spoilt", 0);
  PG_ASSIGN(const FileInfo info, file_->info());
  if (table_ < content_ || info.size_bytes != table_ + uint64_t{rows_} * kEntryBytes)
    return damage("a sorted file has another length", info.size_bytes);
  return {};
}

Result<SortedFile::Entry> SortedFile::parse_entry(uint32_t row, std::string_view bytes) const {
  const Entry entry{load<uint64_t>(bytes, 0), load<uint32_t>(bytes, 8), load<uint32_t>(bytes, 12),
                    load<uint32_t>(bytes, 16), load<uint32_t>(bytes, 20)};
  const bool fits = entry.position >= content_ && entry.position <= table_ &&
                    uint64_t{entry.key_length} + entry.value_length <= table_ - entry.position;
  if (!fits || entry_crc(bytes.substr(0, 24), row) != load<uint32_t>(bytes, 24))
    return damage("a row's entry is spoilt", table_ + uint64_t{row} * kEntryBytes);
  return entry;
}

Result<std::string> SortedFile::key_of(uint32_t row) const {
  PG_ASSIGN(const std::string bytes, read(table_ + uint64_t{row} * kEntryBytes, kEntryBytes));
  PG_ASSIGN(const Entry entry, parse_entry(row, bytes));
  PG_ASSIGN(std::string key, read(entry.position, entry.key_length));
  if (crc32c(as_bytes(key)) != entry.key_crc) return damage("a key is spoilt", entry.position);
  return key;
}

Result<SortedFile::Cursor> SortedFile::seek(std::string_view key) const {
  uint32_t low = 0, high = rows_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    PG_ASSIGN(const std::string there, key_of(middle));
    if (there < key)
      low = middle + 1;
    else
      high = middle;
  }
  return Cursor(*this, low);
}

Result<std::string_view> SortedFile::Cursor::Window::at(const File& file, uint64_t position, size_t length) {
  if (position < begin_ || position + length > begin_ + bytes_.size()) {
    bytes_.resize(std::max(length, ahead_));
    begin_ = position;
    ahead_ = std::min(ahead_ * 4, kReadAheadMax);
    PG_ASSIGN(const size_t got, file.read_at(position, std::as_writable_bytes(std::span(bytes_))));
    bytes_.resize(got);
    if (got < length)
      return fail(Errc::corrupt, "a sorted file ends early", file.path(), static_cast<int64_t>(position + got));
  }
  return std::string_view(bytes_).substr(position - begin_, length);
}

Result<bool> SortedFile::Cursor::next(Row& row) {
  if (next_ >= file_->rows_) return false;
  PG_ASSIGN(const auto bytes, table_.at(*file_->file_, file_->table_ + uint64_t{next_} * kEntryBytes, kEntryBytes));
  PG_ASSIGN(const Entry entry, file_->parse_entry(next_, bytes));
  PG_ASSIGN(const auto content,
            content_.at(*file_->file_, entry.position, size_t{entry.key_length} + entry.value_length));
  row = {content.substr(0, entry.key_length), content.substr(entry.key_length)};
  if (crc32c(as_bytes(row.key)) != entry.key_crc || crc32c(as_bytes(row.value)) != entry.value_crc)
    return file_->damage("a row is spoilt", entry.position);
  ++next_;
  return true;
}

Result<std::unique_ptr<SortedFileWriter>> SortedFileWriter::create(FileSystem& files, const std::string& path,
                                                                   std::string note) {
  PG_ASSERT(note.size() <= kNoteBytesMax);
  PG_ASSIGN(auto file, files.open(path, OpenMode::create));
  PG_CHECK(file->truncate(0));
  std::unique_ptr<SortedFileWriter> writer(new SortedFileWriter(std::move(file), std::move(note)));
  writer->written_ = kHeaderBytes + writer->note_.size();
  return writer;
}

Result<> SortedFileWriter::write_out() {
  PG_CHECK(file_->write_at(written_, as_bytes(pending_)));
  written_ += pending_.size();
  pending_.clear();
  return {};
}

Result<> SortedFileWriter::add(std::string_view key, std::string_view value) {
  std::string entry;
  append(entry, uint64_t{written_ + pending_.size()});
  append(entry, static_cast<uint32_t>(key.size()));
  append(entry, static_cast<uint32_t>(value.size()));
  append(entry, crc32c(as_bytes(key)));
  append(entry, crc32c(as_bytes(value)));
  append(entry, entry_crc(entry, rows_++));
  table_ += entry;
  pending_.append(key).append(value);
  return pending_.size() < kPendingBytes ? Result<>() : write_out();
}

// The header comes last: without it there is no such file.
Result<> SortedFileWriter::finish() {
  PG_CHECK(write_out());
  PG_CHECK(file_->write_at(written_, as_bytes(table_)));
  std::string header(kMagic);
  append(header, kVersion);
  for (int i = 0; i < 3; ++i) append(header, uint32_t{0});
  append(header, rows_);
  append(header, static_cast<uint32_t>(note_.size()));
  append(header, written_);
  append(header, crc32c(as_bytes(note_), crc32c(as_bytes(header))));
  return file_->write_at(0, as_bytes(header + note_));
}

}  // namespace pg
