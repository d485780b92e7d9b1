// A file of sorted keys and their values, written once and never changed: so that looking one up reads a few pieces of
// it, however large it is. What lies in it was made from something else, and can be made again: it is written without a
// flush, and whatever does not fit in it is Errc::corrupt, after which its owner does without.
//
//   offset  field
//        0  magic "\1PGSORT\0"             8 bytes
//        8  version = 1                    uint32
//       12  feature flags                  3 x uint32  compatible, read-only-compatible, incompatible
//       24  rows                           uint32
//       28  length of the note             uint32
//       32  position of the table          uint64
//       40  CRC-32C of the above and of the note   uint32
//       44  note: what the owner has to say of it
//           per row: key, value
//   table   per row: position uint64, length of the key uint32, of the value uint32, CRC-32C of the key uint32,
//           of the value uint32, of these fields and the row's number (uint32) uint32
//
// Big-endian. The file ends with the table.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/os/file_system.h"

namespace pg {

class SortedFile {
 public:
  // not_found, corrupt, unsupported_version.
  static Result<std::unique_ptr<SortedFile>> open(FileSystem& files, const std::string& path);

  const std::string& note() const { return note_; }
  uint32_t rows() const { return rows_; }

  struct Row {
    std::string_view key, value;  // valid until the next one is read
  };

  // Reads rows in order. Borrows the file.
  class Cursor {
   public:
    // False: there are no more.
    Result<bool> next(Row& row);

   private:
    friend class SortedFile;
    // Bytes of the file, read ahead: a little at first, more from one read to the next.
    class Window {
     public:
      Result<std::string_view> at(const File& file, uint64_t position, size_t length);

     private:
      std::string bytes_;
      uint64_t begin_ = 0;
      size_t ahead_ = 256;
    };
    Cursor(const SortedFile& file, uint32_t first) : file_(&file), next_(first) {}
    const SortedFile* file_;
    uint32_t next_;
    Window table_, content_;
  };

  // From the first row whose key is not less than `key`.
  Result<Cursor> seek(std::string_view key) const;

 private:
  struct Entry {
    uint64_t position = 0;
    uint32_t key_length = 0, value_length = 0, key_crc = 0, value_crc = 0;
  };
  SortedFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<> read_header();
  Result<Entry> parse_entry(uint32_t row, std::string_view bytes) const;
  Result<std::string> read(uint64_t position, size_t length) const;
  Result<std::string> key_of(uint32_t row) const;
  tl::unexpected<Error> damage(const char* why, uint64_t position) const;

  std::unique_ptr<File> file_;
  std::string note_;
  uint32_t rows_ = 0;
  uint64_t content_ = 0, table_ = 0;  // where they begin
};

// Writes one, to a name where nothing needed is; the caller then gives it its own. Keys are added in order.
class SortedFileWriter {
 public:
  static Result<std::unique_ptr<SortedFileWriter>> create(FileSystem& files, const std::string& path, std::string note);
  Result<> add(std::string_view key, std::string_view value);
  Result<> finish();

 private:
  SortedFileWriter(std::unique_ptr<File> file, std::string note) : file_(std::move(file)), note_(std::move(note)) {}
  Result<> write_out();

  std::unique_ptr<File> file_;
  std::string note_;
  std::string pending_, table_;
  uint64_t written_ = 0;
  uint32_t rows_ = 0;
};

}  // namespace pg
