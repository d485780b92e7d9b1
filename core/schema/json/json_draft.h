// Which version of JSON Schema a schema is written in.
#pragma once

#include <string>
#include <string_view>

#include "core/schema/bounded_json.h"

namespace pg {

// In the order in which they appeared. `other`: draft 3 and older, and what "$schema" names that is not known here.
enum class Draft { draft4, draft6, draft7, draft2019, draft2020, other };

// The draft of JSON Schema that a schema is written in.
struct JsonDialect {
  Draft draft;
  std::string name;  // "draft 7"; of another one, what "$schema" says
};

// Draft 7 where there is no "$schema", as Confluent's registry has it.
JsonDialect dialect_of(const Json& schema);

// Values are checked against schemas of these drafts.
inline bool is_validated(Draft draft) { return draft <= Draft::draft7; }

// Up to draft 7 what stands beside a "$ref" does not count.
inline bool ref_stands_alone(Draft draft) { return draft <= Draft::draft7; }

}  // namespace pg
