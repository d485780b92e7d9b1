// What the rows of _schemas come to: subjects and versions, ids, levels and modes, to be looked up.
//
// Kept as sorted keys and values, so that most of it may lie in a file (core/store/sorted_file.h) and nothing has to be
// read to look one thing up; what was written since that file is in memory, over it. Pure but for reading that file.
//
//   's' subject NUL version int32   '-' or 'D' (deleted), then the row's JSON
//   'i' id int32 subject NUL version int32   empty: which versions have the id
//   'h' CRC-32C of type and text, id int32   empty: which ids a text may have
//   'c' subject, 'm' subject        the row's JSON: level and mode; with "C" and "M" for all subjects
//   'n'                             the greatest id that was ever given, in decimal
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/registry_rows.h"
#include "core/store/sorted_file.h"

namespace pg {

// A version of a subject.
struct SubjectVersion {
  std::string subject;
  int32_t version = 0;
  bool operator==(const SubjectVersion&) const = default;
};

class RegistryView {
 public:
  // `base`: what the records up to some place in the log came to; null: none were read yet.
  explicit RegistryView(std::shared_ptr<const SortedFile> base = {}) : base_(std::move(base)) {}
  // The base turned out to be spoilt, and what was returned may be wrong.
  bool is_damaged() const { return damaged_; }
  // All keys and values, as a base for others. False: `visit` has had enough.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  void for_all(const Visit& visit) const { scan("", visit); }

  // One record of the log. What is not understood changes nothing.
  void take_in(std::string_view key, std::optional<std::string_view> value);

  // None: there is none, or it is not understood. Deleted ones are there, and say so.
  std::optional<SchemaRow> find(const SubjectVersion& version) const;
  // The row of a version as it is once that is deleted.
  std::optional<std::string> deleted_row(const SubjectVersion& version) const;
  // Sorted.
  std::vector<int32_t> versions(const std::string& subject, bool deleted_too) const;
  std::vector<std::string> subjects(const std::string& prefix, bool deleted_too) const;
  // Versions that have an id, deleted ones too; no more than `most`.
  std::vector<SubjectVersion> with_id(int32_t id, size_t most = std::numeric_limits<size_t>::max()) const;
  // The id of this very text; none: it has none.
  std::optional<int32_t> id_of(SchemaType type, std::string_view text) const;
  // With no subject: what holds for all. None: nothing was set.
  std::optional<CompatibilityLevel> level(const std::optional<std::string>& subject) const;
  std::optional<RegistryMode> mode(const std::optional<std::string>& subject) const;
  int32_t greatest_id() const;

 private:
  std::optional<std::string> get(std::string_view key) const;
  std::optional<std::string> get_base(std::string_view key) const;
  void put(std::string key, std::string value) { rows_[std::move(key)] = std::move(value); }
  void remove(std::string_view key);
  // In order of the keys that begin with `prefix`, until `visit` returns false.
  void scan(std::string_view prefix, const Visit& visit) const;

  void take_schema(const SubjectVersion& version, std::optional<std::string_view> value);
  void forget_schema(const SubjectVersion& version);
  void delete_up_to(const std::string& subject, int32_t version);
  void raise_greatest_id(int32_t id);

  std::shared_ptr<const SortedFile> base_;
  std::map<std::string, std::optional<std::string>, std::less<>> rows_;  // over the base; none: removed
  mutable bool damaged_ = false;
};

}  // namespace pg
