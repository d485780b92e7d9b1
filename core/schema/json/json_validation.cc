#include "core/schema/json/json_validation.h"

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_keywords.h"

namespace pg {
namespace {

constexpr size_t kFailuresShown = 5;
constexpr size_t kShownBytes = 60;
// How deep schemas may lie inside each other. One level of the value may take several of them: by "$ref", "allOf" and
// the like.
constexpr int kSchemasDeep = 1000;
// A step is about what a keyword costs. Ten million of them take a second.
constexpr size_t kStepsMin = 10'000'000;
constexpr size_t kStepsPerByte = 100;

}  // namespace

std::string to_text(const Shown& shown) {
  const Json& value = shown.value;
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (!value.is_string() || text_of(value).size() <= kShownBytes) return to_one_line(value);
  size_t end = kShownBytes;
  while ((text_of(value)[end] & 0xC0) == 0x80) --end;  // not in the middle of a character
  return to_one_line(text_of(value).substr(0, end) + "…");
}

JsonValidation::JsonValidation(const JsonDocument& document, size_t value_bytes)
    : document_(document), work_left_(kStepsMin + kStepsPerByte * value_bytes) {}

Result<> JsonValidation::run(const Json& value) {
  const bool applied = applies(document_.root, value, {});
  if (!stopped_.empty()) return fail(Errc::invalid_argument, stopped_);
  if (applied) return {};
  std::string what = fmt::format("{}", fmt::join(failures_, "; "));
  if (more_) what += "; and more";
  return fail(Errc::invalid_argument, std::move(what));
}

bool JsonValidation::stop(std::string reason) {
  if (stopped_.empty()) stopped_ = std::move(reason);
  return false;
}

bool JsonValidation::work(size_t steps) {
  if (!stopped_.empty()) return false;
  if (steps > work_left_) return stop("checking the value against its schema takes too many steps");
  work_left_ -= steps;
  return true;
}

void JsonValidation::note(const JsonPlace& place, std::string_view reason) {
  if (failures_.size() < kFailuresShown)
    failures_.push_back(fmt::format("{}: {}", to_pointer(place), reason));
  else
    more_ = true;
}

bool JsonValidation::applies(const Json& schema, const Json& value, const JsonPlace& place) {
  if (!work(1)) return false;
  if (schema.is_boolean()) return schema.get<bool>() || refuse(place, "nothing is allowed here");
  if (depth_ == kSchemasDeep) {
    return stop(fmt::format("more than {} schemas inside each other at {}", kSchemasDeep, to_pointer(place)));
  }
  ++depth_;
  const bool applied = applies_object(schema, value, place);
  --depth_;
  return applied;
}

bool JsonValidation::applies_object(const Json& schema, const Json& value, const JsonPlace& place) {
  if (const Json* const target = document_.target_of(schema)) return applies(*target, value, place);
  bool applied = true;
  for (const auto& [name, keyword_value] : members_of(schema)) {
    const JsonKeyword* const keyword = find_keyword(document_.dialect.draft, name);
    if (keyword == nullptr || keyword->check == nullptr) continue;
    if (!work(1)) return false;
    if (!keyword->check(*this, {keyword_value, schema}, value, place)) applied = false;
    if (!applied && (quiet_ || !stopped_.empty())) return false;
  }
  return applied;
}

bool JsonValidation::applies_quietly(const Json& schema, const Json& value, const JsonPlace& place) {
  const bool before = std::exchange(quiet_, true);
  const bool applied = applies(schema, value, place);
  quiet_ = before;
  return applied;
}

}  // namespace pg
