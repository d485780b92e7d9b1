// Avro: parsing, resolution and the encodings are ours, by the specification of Avro 1.11.
#pragma once

#include "core/schema/schema.h"

namespace pg {

Result<std::unique_ptr<Schema>> parse_avro_schema(std::string_view text);

}  // namespace pg
