// Why what was written with one JSON schema may not be read with another: the rules of Confluent's registry, with its
// words.
//
// What it does not look at is compared too where values would otherwise pass that the reader refuses: "const", "if",
// "propertyNames", "contains", patterns of names, and members that are required without being described.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/schema/json/json_evaluated.h"
#include "core/schema/json/json_view.h"
#include "core/schema/schema.h"

namespace pg {

// Paths are relative to what is compared until the end: "" is itself.
class JsonFindings {
 public:
  void add(std::string kind, std::string path, std::string message);
  void absorb(const JsonFindings& inner, std::string_view path = "");
  bool empty() const { return found_.empty(); }
  size_t size() const { return found_.size(); }
  const std::vector<Incompatibility>& all() const { return found_; }

 private:
  std::vector<Incompatibility> found_;  // the first hundred
};

// What is allowed where nothing is described: the content model, open unless something says otherwise.
struct JsonContent {
  enum { open, closed, partial } model;
  const Json* schema;  // of a partial one
};
JsonContent content_of(const Json* rest);

class JsonSchemaDiff {
 public:
  explicit JsonSchemaDiff(CompatibilityPolicy policy) : lenient_(policy == CompatibilityPolicy::lenient) {}

  JsonFindings compare(const JsonView& writer, const JsonView& reader);
  // The limit that was met; findings are then no answer, but no finding is one. Empty: none was met.
  const std::string& limit_met() const { return limit_met_; }

 private:
  using Pair = std::pair<JsonView, JsonView>;
  // What comparing two places has found so far.
  struct Comparison {
    JsonFindings findings;
    bool done = false;
    bool assumed = false;  // it was met again within itself, and taken for compatible there
  };

  const JsonSight& sight_of(const JsonView& view);
  JsonFindings remember(const Pair& pair, size_t begun, JsonFindings findings);
  JsonFindings compare_sights(const JsonSight& writer, const JsonSight& reader);
  JsonFindings compare_form(const JsonSight& writer, const JsonSight& reader);

  // What stands in a keyword that allows everything where it is missing.
  void compare_keyword(JsonFindings& found, const JsonSight& writer, const JsonSight& reader, std::string_view keyword);
  // The same for those that say what else may be there: "ADDITIONAL_ITEMS" is the kind of "additionalItems".
  void compare_rest(JsonFindings& found, const JsonView& was, const JsonView& is, std::string_view keyword,
                    bool lenient);
  // A property or an item that only the one side describes; `content` is what the other one has for it. `noun` begins
  // kinds.
  JsonFindings removed(std::string_view noun, const JsonView& before, const JsonSight& reader,
                       const JsonContent& content);
  JsonFindings added(std::string_view noun, const JsonSight& writer, const JsonContent& content, const JsonView& after);
  // Not counted for properties, if the policy is lenient.
  bool is_let_pass(std::string_view noun) const { return lenient_ && noun == "PROPERTY"; }

  // json_diff_combined.cc
  JsonFindings read_by_combined(const JsonSight& writer, const JsonSight& reader);
  JsonFindings written_by_combined(const JsonSight& writer, const JsonSight& reader);
  bool goes_part_by_part(const JsonSight& writer, const JsonSight& reader);
  bool is_read_as_one(const JsonSight& writer, const JsonSight& reader);
  JsonFindings compare_combined(const JsonSight& writer, const JsonSight& reader);
  JsonFindings compare_negations(const JsonSight& writer, const JsonSight& reader);
  JsonFindings compare_conditions(const JsonSight& writer, const JsonSight& reader);

  // json_diff_objects.cc
  const JsonEvaluated& evaluated_beside_of(const JsonSight& sight);
  JsonContent content_for(const JsonSight& sight, const std::string& name);
  void compare_required(JsonFindings& found, const JsonSight& writer, const JsonSight& reader);
  void compare_other_members(JsonFindings& found, const JsonSight& writer, const JsonSight& reader);
  JsonFindings compare_objects(const JsonSight& writer, const JsonSight& reader);
  JsonFindings compare_property(const JsonSight& writer, const JsonSight& reader, const std::string& name,
                                const Json* before, const Json* after);
  JsonFindings compare_name_pattern(const JsonSight& writer, const JsonSight& reader, const std::string& pattern,
                                    const Json* before, const Json* after);
  void compare_dependencies(JsonFindings& found, const JsonSight& writer, const JsonSight& reader,
                            std::string_view keyword);

  // json_diff_arrays.cc
  JsonFindings compare_arrays(const JsonSight& writer, const JsonSight& reader);
  void compare_contained(JsonFindings& found, const JsonSight& writer, const JsonSight& reader);
  void compare_items(JsonFindings& found, const JsonSight& writer, const JsonSight& reader);

  static constexpr size_t kWorkMax = 1'000'000;  // members, values and pairs of schemas: a second or two

  const bool lenient_;
  std::map<Pair, Comparison> compared_;
  std::vector<Pair> order_;  // in which they were begun
  std::map<JsonView, JsonSight> sights_;
  std::map<const Json*, JsonEvaluated> evaluated_;
  JsonFindings give_up(std::string limit);

  size_t work_left_ = kWorkMax;
  std::string limit_met_;
  int depth_ = 0;
};

// json_diff_scalars.cc. Limits of one keyword: "MAX_LENGTH" is the kind of "maxLength".
void compare_limits(JsonFindings& found, const JsonSight& writer, const JsonSight& reader, std::string_view keyword);
JsonFindings compare_strings(const JsonSight& writer, const JsonSight& reader);
JsonFindings compare_numbers(const JsonSight& writer, const JsonSight& reader);
JsonFindings compare_enumerations(const JsonSight& writer, const JsonSight& reader);

// "maxLength" is "MAX_LENGTH".
std::string kind_of(std::string_view keyword);

// Errc::limit: comparing them takes too long, or goes too deep.
Result<std::vector<Incompatibility>> json_incompatibilities(const JsonDocument& writer, const JsonDocument& reader,
                                                            CompatibilityPolicy policy);

}  // namespace pg
