// A schema as the rules of compatibility see it: one thing, or several together.
//
// {"type": ["string", "null"], "enum": ["a", null]} says two things, which must both hold: a type that is one of two,
// and an enumeration. Rules compare like with like, so each is a view of its own, without any copy of the schema.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/schema/json/json_document.h"

namespace pg {

// Which part of a schema is meant.
enum class JsonAspect {
  whole,
  reference,
  types,  // all of it; where its "$ref" leads; any of its types
  array,
  boolean,
  integer,
  null,
  number,
  object,
  string,  // what it says about one type
  enumeration,
  negation,
  condition,
  all_of,
  any_of,
  one_of,  // keywords that stand for themselves
};

struct JsonView {
  const JsonDocument* document;
  const Json* schema;
  JsonAspect aspect = JsonAspect::whole;

  auto operator<=>(const JsonView&) const = default;
};

// What kind of values a place of a schema allows.
enum class JsonForm {
  anything,
  nothing,
  array,
  boolean,
  null,
  number,
  object,
  string,
  enumeration,
  negation,
  condition,
  all_of,
  any_of,
  one_of,
};

inline bool is_combined(JsonForm form) { return form >= JsonForm::all_of; }

// A place of a schema, as the comparison looks at it.
struct JsonSight {
  JsonForm form;
  JsonView self;                // of this alone, references followed
  const Json* schema;           // where its keywords are
  bool integer = false;         // a number that must be whole
  std::vector<JsonView> parts;  // of a combined one
  bool by_keyword = false;      // its parts stand in "allOf", "anyOf" or "oneOf", and not all over the schema
};

JsonSight look_at(JsonView view);

// A schema inside of it.
inline JsonView view_of(const JsonSight& sight, const Json& schema) { return {sight.self.document, &schema}; }
JsonView view_of(const JsonSight&, Json&&) = delete;
// The one in that keyword; one that allows everything if there is none.
JsonView keyword_view(const JsonSight& sight, std::string_view keyword);

}  // namespace pg
