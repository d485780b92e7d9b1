// A schema as it was read: its JSON, checked to be a schema, with its references resolved and its patterns made.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "core/schema/json/json_draft.h"
#include "core/schema/json/json_patterns.h"

namespace pg {

// Does not change, and does not move: what is found in it stays where it is.
struct JsonDocument {
  Json root;
  JsonDialect dialect;
  JsonPatterns patterns;
  std::unordered_map<const Json*, const Json*> targets;  // a schema with "$ref" -> the one that it stands for
  std::string unsupported_pattern;                       // one that RE2 cannot do, with its place; mostly none

  // Empty: `schema` is not a reference.
  const Json* target_of(const Json& schema) const {
    const auto found = targets.find(&schema);
    return found == targets.end() ? nullptr : found->second;
  }
};

// Errc::invalid_argument, with the place: it is not a schema, or refers to something outside of it. Nothing is fetched.
Result<std::unique_ptr<const JsonDocument>> read_json_document(std::string_view text);

}  // namespace pg
