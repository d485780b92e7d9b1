// The keywords of JSON Schema: what their values must be, in which drafts, and how a value is checked against each.
#pragma once

#include <span>
#include <string_view>

#include "core/schema/json/json_draft.h"
#include "core/schema/json/json_place.h"

namespace pg {

class JsonValidation;

// What a keyword's value is.
enum class KeywordShape {
  any,
  text,
  flag,
  number,
  positive,   // a number above 0
  count,      // a whole number, not negative
  words,      // an array of strings
  type,       // a type's name, or several
  values,     // an array
  pattern,    // a regular expression
  reference,  // of another schema
  schema,
  schema_or_flag,  // the same but in draft 4, where no other schema is a boolean
  schemas,         // an array of at least one
  schema_or_schemas,
  schema_map,
  pattern_map,     // a regular expression to a schema
  dependency_map,  // a name to a schema or to words
  words_map,       // a name to words
};

// What a check is given.
struct CheckedKeyword {
  const Json& value;   // of the keyword
  const Json& schema;  // that it stands in
};
using KeywordCheck = bool (*)(JsonValidation&, const CheckedKeyword&, const Json& value, const JsonPlace&);

struct JsonKeyword {
  std::string_view name;
  KeywordShape shape;
  Draft first, last;
  KeywordCheck check;  // none: says nothing about values, or goes with another keyword
};

// None: not a keyword of that draft.
const JsonKeyword* find_keyword(Draft draft, std::string_view name);

}  // namespace pg
