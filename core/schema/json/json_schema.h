// JSON Schema.
#pragma once

#include "core/schema/schema.h"

namespace pg {

Result<std::unique_ptr<Schema>> parse_json_schema(std::string_view text);

}  // namespace pg
