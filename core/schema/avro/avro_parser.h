// The JSON of an Avro schema to what it says.
#pragma once

#include "core/schema/avro/avro_type.h"

namespace pg {

// Errc::invalid_argument: where it breaks which rule of the specification. Defaults are checked as well.
Result<AvroTree> parse_avro(const Json& json);

}  // namespace pg
