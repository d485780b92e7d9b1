#include <fmt/format.h>

#include <algorithm>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_equality.h"
#include "core/schema/json/json_schema_diff.h"

namespace pg {
namespace {

constexpr size_t kPairsMax = 100'000;

std::string_view keyword_of(JsonForm form) {
  return form == JsonForm::all_of ? "allOf" : form == JsonForm::any_of ? "anyOf" : "oneOf";
}

std::string part_path(const JsonSight& sight, size_t part) {
  return sight.by_keyword ? fmt::format("/{}/{}", keyword_of(sight.form), part) : "";
}

// Which part of the writer goes with which of the reader: as many as possible, each with one other at most.
class Matching {
 public:
  explicit Matching(const std::vector<std::vector<JsonFindings>>& findings, size_t readers)
      : findings_(findings), writer_of_(readers, kNone) {
    for (size_t writer = 0; writer < findings.size(); ++writer) {
      std::vector<bool> tried(readers);
      if (place(writer, tried))
        ++size_;
      else
        left_.push_back(writer);
    }
  }

  size_t size() const { return size_; }
  // The reader's part that is closest to what a writer's part without one says, of those that are left.
  const JsonFindings* closest(size_t* writer_part) const {
    const JsonFindings* best = nullptr;
    for (const size_t writer : left_) {
      for (size_t reader = 0; reader < writer_of_.size(); ++reader) {
        if (writer_of_[reader] != kNone) continue;
        const auto& found = findings_[writer][reader];
        if (best != nullptr && rank(found) >= rank(*best)) continue;
        best = &found;
        *writer_part = writer;
      }
    }
    return best;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  // Another type is farther away than any number of other changes.
  static size_t rank(const JsonFindings& found) {
    const bool other_type =
        !found.empty() && found.all().front().kind == "TYPE_CHANGED" && found.all().front().path.empty();
    return found.size() + (other_type ? 1000 : 0);
  }

  // Each call that goes deeper marks one more reader's part: as deep as there are parts.
  bool place(size_t writer, std::vector<bool>& tried) {
    for (size_t reader = 0; reader < writer_of_.size(); ++reader) {
      if (tried[reader] || !findings_[writer][reader].empty()) continue;
      tried[reader] = true;
      if (writer_of_[reader] != kNone && !place(writer_of_[reader], tried)) continue;
      writer_of_[reader] = writer;
      return true;
    }
    return false;
  }

  const std::vector<std::vector<JsonFindings>>& findings_;
  std::vector<size_t> writer_of_;  // of each part of the reader
  std::vector<size_t> left_;       // parts of the writer that could not be placed
  size_t size_ = 0;
};

// Whether "allOf" may become "oneOf", and so on.
bool may_become(const JsonSight& writer, const JsonSight& reader) {
  if (writer.form == reader.form || reader.form == JsonForm::any_of) return true;
  if (reader.form == JsonForm::one_of) return writer.parts.size() == 1;
  return writer.parts.size() == 1 && reader.parts.size() == 1;
}

void compare_counts(JsonFindings& found, const JsonSight& writer, const JsonSight& reader) {
  const size_t before = writer.parts.size(), after = reader.parts.size();
  const std::string counts = fmt::format("{} schemas, and there were {}", after, before);
  if (reader.form == JsonForm::all_of && before < after) found.add("PRODUCT_TYPE_EXTENDED", "", "all of " + counts);
  if (reader.form != JsonForm::all_of && before > after) found.add("SUM_TYPE_NARROWED", "", "one of " + counts);
}

}  // namespace

// Every part of "allOf", or some part of the others, must read it.
JsonFindings JsonSchemaDiff::read_by_combined(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings all;
  for (size_t i = 0; i < reader.parts.size(); ++i) {
    const JsonFindings found = compare(writer.self, reader.parts[i]);
    if (reader.form != JsonForm::all_of && found.empty()) return {};
    all.absorb(found, part_path(reader, i));
  }
  if (reader.form == JsonForm::all_of || reader.parts.size() == 1) return all;
  JsonFindings found;
  found.add("TYPE_CHANGED", "", fmt::format("none of {} schemas reads what there was", reader.parts.size()));
  return found;
}

// Some part of "allOf", or every part of the others, must be read.
JsonFindings JsonSchemaDiff::written_by_combined(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings all;
  for (size_t i = 0; i < writer.parts.size(); ++i) {
    const JsonFindings found = compare(writer.parts[i], reader.self);
    if (writer.form == JsonForm::all_of && found.empty()) return {};
    all.absorb(found, part_path(writer, i));
  }
  return all;
}

// Without comparing parts with parts: a combination of one schema is that schema, and a reader that reads one part of
// an "allOf" reads the whole.
bool JsonSchemaDiff::is_read_as_one(const JsonSight& writer, const JsonSight& reader) {
  if (reader.parts.size() == 1) return compare(writer.self, reader.parts.front()).empty();
  if (writer.parts.size() == 1) return compare(writer.parts.front(), reader.self).empty();
  if (writer.form != JsonForm::all_of || reader.form != JsonForm::any_of) return false;
  return std::ranges::any_of(writer.parts, [&](const JsonView& part) { return compare(part, reader.self).empty(); });
}

// Parts mostly keep their order. Then not every part has to be compared with every other one.
bool JsonSchemaDiff::goes_part_by_part(const JsonSight& writer, const JsonSight& reader) {
  for (size_t i = 0; i < std::min(writer.parts.size(), reader.parts.size()); ++i) {
    if (!compare(writer.parts[i], reader.parts[i]).empty()) return false;
  }
  return true;
}

JsonFindings JsonSchemaDiff::compare_combined(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings found;
  if (is_read_as_one(writer, reader)) return found;
  if (!may_become(writer, reader)) {
    found.add("COMBINED_TYPE_CHANGED", "",
              fmt::format("is {}, and was {}", keyword_of(reader.form), keyword_of(writer.form)));
    return found;
  }
  compare_counts(found, writer, reader);
  if (goes_part_by_part(writer, reader)) return found;
  if (writer.parts.size() * reader.parts.size() > kPairsMax) {
    return give_up(fmt::format(
        "the schemas are too large to be compared: at most {} pairs of schemas in 'allOf', 'anyOf' or 'oneOf'",
        kPairsMax));
  }
  std::vector<std::vector<JsonFindings>> findings(writer.parts.size());
  for (size_t i = 0; i < writer.parts.size(); ++i) {
    for (const auto& part : reader.parts) findings[i].push_back(compare(writer.parts[i], part));
  }
  const Matching matching(findings, reader.parts.size());
  if (matching.size() == std::min(writer.parts.size(), reader.parts.size())) return found;
  found.add("COMBINED_TYPE_SUBSCHEMAS_CHANGED", "", "not each of the schemas has one that goes with it");
  size_t part = 0;
  if (const auto* closest = matching.closest(&part)) found.absorb(*closest, part_path(writer, part));
  return found;
}

// The other way round: what the reader does not want must have been unwanted before.
JsonFindings JsonSchemaDiff::compare_negations(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings found;
  const JsonView before = keyword_view(writer, "not");
  const JsonView after = keyword_view(reader, "not");
  if (!compare(after, before).empty()) found.add("NOT_TYPE_EXTENDED", "/not", "'not' may refuse more than it did");
  return found;
}

JsonFindings JsonSchemaDiff::compare_conditions(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings found;
  const JsonView before = keyword_view(writer, "if"), after = keyword_view(reader, "if");
  if (!compare(before, after).empty() || !compare(after, before).empty()) {
    found.add("COMBINED_TYPE_SUBSCHEMAS_CHANGED", "/if", "the condition is another one");
    return found;
  }
  compare_keyword(found, writer, reader, "then");
  compare_keyword(found, writer, reader, "else");
  return found;
}

}  // namespace pg
