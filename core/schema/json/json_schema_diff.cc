#include "core/schema/json/json_schema_diff.h"

#include <fmt/format.h>

#include <cctype>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_equality.h"

namespace pg {
namespace {

constexpr size_t kFindingsMax = 100;
constexpr int kSchemasDeep = 500;  // compared inside each other

std::string_view name_of(JsonForm form) {
  switch (form) {
    case JsonForm::anything:
      return "anything";
    case JsonForm::nothing:
      return "nothing";
    case JsonForm::array:
      return "an array";
    case JsonForm::boolean:
      return "a boolean";
    case JsonForm::null:
      return "null";
    case JsonForm::number:
      return "a number";
    case JsonForm::object:
      return "an object";
    case JsonForm::string:
      return "a string";
    case JsonForm::enumeration:
      return "an enumeration";
    case JsonForm::negation:
      return "what does not match 'not'";
    case JsonForm::condition:
      return "what 'if' decides";
    case JsonForm::all_of:
      return "all of several schemas";
    case JsonForm::any_of:
      return "any of several schemas";
    case JsonForm::one_of:
      return "one of several schemas";
  }
  return "";
}

size_t members_in(const JsonSight& sight, std::string_view keyword) {
  const Json* const members = find_member(*sight.schema, keyword);
  return members == nullptr ? 0 : members->size();
}

size_t values_in(const JsonSight& sight, std::string_view keyword) {
  const Json* const value = find_member(*sight.schema, keyword);
  return value == nullptr ? 0 : size_of(*value);
}

// Of comparing these two, without what is in them.
size_t cost_of(const JsonSight& writer, const JsonSight& reader) {
  size_t names = 1, patterns = 1, rest = 0;
  for (const auto* sight : {&writer, &reader}) {
    names += members_in(*sight, "properties") + members_in(*sight, "required");
    patterns += members_in(*sight, "patternProperties");
    rest += sight->parts.size() + members_in(*sight, "dependencies");
    if (sight->form == JsonForm::enumeration) rest += values_in(*sight, "enum") + values_in(*sight, "const");
  }
  return names * patterns + rest;
}

}  // namespace

void JsonFindings::add(std::string kind, std::string path, std::string message) {
  if (found_.size() < kFindingsMax) found_.push_back({std::move(kind), std::move(path), std::move(message)});
}

void JsonFindings::absorb(const JsonFindings& inner, std::string_view path) {
  for (const auto& [kind, inner_path, message] : inner.found_) add(kind, std::string(path) + inner_path, message);
}

std::string kind_of(std::string_view keyword) {
  std::string kind;
  for (const char c : keyword) {
    if (std::isupper(static_cast<unsigned char>(c))) kind += '_';
    kind += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return kind;
}

const JsonSight& JsonSchemaDiff::sight_of(const JsonView& view) {
  const auto known = sights_.find(view);
  return known != sights_.end() ? known->second : sights_.emplace(view, look_at(view)).first->second;
}

// A pair that is met again within itself is assumed to be compatible. If the assumption was wrong, pairs that were
// found compatible in between are forgotten. Pairs that were found incompatible stay so, since the assumption can only
// hide a fault. So each pair is compared again only as often as other pairs turn out to be incompatible.
JsonFindings JsonSchemaDiff::remember(const Pair& pair, size_t begun, JsonFindings findings) {
  auto& comparison = compared_.at(pair);
  const bool wrong = comparison.assumed && !findings.empty();
  comparison = {findings, true, false};
  for (; wrong && order_.size() > begun + 1; order_.pop_back()) {
    const auto found = compared_.find(order_.back());
    if (found->second.findings.empty()) compared_.erase(found);
  }
  return findings;
}

// Returns a finding, so that no pair counts as compatible that was not compared.
JsonFindings JsonSchemaDiff::give_up(std::string limit) {
  limit_met_ = std::move(limit);
  work_left_ = 0;
  JsonFindings found;
  found.add("TYPE_CHANGED", "", limit_met_);
  return found;
}

JsonFindings JsonSchemaDiff::compare(const JsonView& writer, const JsonView& reader) {
  const JsonSight& before = sight_of(writer);
  const JsonSight& after = sight_of(reader);
  const Pair pair(before.self, after.self);
  if (const auto known = compared_.find(pair); known != compared_.end()) {
    if (!known->second.done) known->second.assumed = true;
    return known->second.findings;
  }
  const size_t work = cost_of(before, after);
  if (work > work_left_)
    return give_up(fmt::format(
        "the schemas are too large to be compared: at most {} members, values and pairs of schemas are looked at",
        kWorkMax));
  if (depth_ == kSchemasDeep)
    return give_up(
        fmt::format("the schemas are too deep to be compared: at most {} schemas inside each other", kSchemasDeep));
  work_left_ -= work;
  ++depth_;
  const size_t begun = order_.size();
  order_.push_back(pair);
  compared_.emplace(pair, Comparison{});
  JsonFindings findings = compare_sights(before, after);
  --depth_;
  return remember(pair, begun, std::move(findings));
}

JsonFindings JsonSchemaDiff::compare_sights(const JsonSight& writer, const JsonSight& reader) {
  if (writer.form == JsonForm::nothing || reader.form == JsonForm::anything) return {};
  if (is_combined(reader.form) && !is_combined(writer.form)) return read_by_combined(writer, reader);
  if (is_combined(writer.form) && !is_combined(reader.form)) return written_by_combined(writer, reader);
  if (is_combined(writer.form)) return compare_combined(writer, reader);
  if (writer.form == reader.form) return compare_form(writer, reader);
  JsonFindings found;
  found.add("TYPE_CHANGED", "", fmt::format("is {}, and was {}", name_of(reader.form), name_of(writer.form)));
  return found;
}

JsonFindings JsonSchemaDiff::compare_form(const JsonSight& writer, const JsonSight& reader) {
  switch (writer.form) {
    case JsonForm::array:
      return compare_arrays(writer, reader);
    case JsonForm::number:
      return compare_numbers(writer, reader);
    case JsonForm::object:
      return compare_objects(writer, reader);
    case JsonForm::string:
      return compare_strings(writer, reader);
    case JsonForm::enumeration:
      return compare_enumerations(writer, reader);
    case JsonForm::negation:
      return compare_negations(writer, reader);
    case JsonForm::condition:
      return compare_conditions(writer, reader);
    default:
      return {};
  }
}

JsonContent content_of(const Json* rest) {
  if (rest == nullptr) return {JsonContent::open, nullptr};
  if (rest->is_boolean()) return {rest->get<bool>() ? JsonContent::open : JsonContent::closed, nullptr};
  return {JsonContent::partial, rest};
}

void JsonSchemaDiff::compare_keyword(JsonFindings& found, const JsonSight& writer, const JsonSight& reader,
                                     std::string_view keyword) {
  found.absorb(compare(keyword_view(writer, keyword), keyword_view(reader, keyword)), fmt::format("/{}", keyword));
}

void JsonSchemaDiff::compare_rest(JsonFindings& found, const JsonView& was, const JsonView& is,
                                  std::string_view keyword, bool lenient) {
  const JsonForm before = sight_of(was).form, after = sight_of(is).form;
  const std::string path = fmt::format("/{}", keyword);
  if (after == JsonForm::nothing && before != JsonForm::nothing) {
    if (!lenient) found.add(kind_of(keyword) + "_REMOVED", path, "nothing else is allowed any more");
  } else if (before == JsonForm::anything && after != JsonForm::anything) {
    if (!lenient) found.add(kind_of(keyword) + "_NARROWED", path, "anything else was allowed");
  } else {
    found.absorb(compare(was, is), path);
  }
}

JsonFindings JsonSchemaDiff::removed(std::string_view noun, const JsonView& before, const JsonSight& reader,
                                     const JsonContent& content) {
  JsonFindings found;
  if (content.model == JsonContent::partial) {
    found = compare(before, view_of(reader, *content.schema));
    if (!found.empty() && !is_let_pass(noun)) {
      found.add(fmt::format("{}_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", noun), "",
                "is gone, and what is allowed in its place does not cover it");
    }
  } else if (content.model == JsonContent::closed && sight_of(before).form != JsonForm::nothing) {
    found.add(fmt::format("{}_REMOVED_FROM_CLOSED_CONTENT_MODEL", noun), "",
              "is gone, and nothing is allowed in its place");
  }
  return found;
}

JsonFindings JsonSchemaDiff::added(std::string_view noun, const JsonSight& writer, const JsonContent& content,
                                   const JsonView& after) {
  JsonFindings found;
  if (content.model == JsonContent::open && sight_of(after).form != JsonForm::anything && !is_let_pass(noun)) {
    found.add(fmt::format("{}_ADDED_TO_OPEN_CONTENT_MODEL", noun), "",
              "is new, and what there is may have anything in its place");
  } else if (content.model == JsonContent::partial) {
    found = compare(view_of(writer, *content.schema), after);
    if (!found.empty() && !is_let_pass(noun)) {
      found.add(fmt::format("{}_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", noun), "",
                "is new, and does not cover what was allowed in its place");
    }
  }
  return found;
}

Result<std::vector<Incompatibility>> json_incompatibilities(const JsonDocument& writer, const JsonDocument& reader,
                                                            CompatibilityPolicy policy) {
  JsonSchemaDiff diff(policy);
  auto found = diff.compare({&writer, &writer.root}, {&reader, &reader.root}).all();
  if (!found.empty() && !diff.limit_met().empty()) return fail(Errc::limit, diff.limit_met());
  for (auto& one : found) one.path.insert(0, 1, '#');
  return found;
}

}  // namespace pg
