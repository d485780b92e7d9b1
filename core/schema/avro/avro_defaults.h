// Whether the defaults in an Avro schema are values of their fields.
#pragma once

#include "core/schema/avro/avro_type.h"

namespace pg {

Result<> check_avro_defaults(const AvroType& root);

}  // namespace pg
