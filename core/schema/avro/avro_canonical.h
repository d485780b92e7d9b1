// An Avro schema to its text.
#pragma once

#include "core/schema/avro/avro_type.h"

namespace pg {

// As Avro's own Java prints it, which is what Confluent's registry stores and compares: everything that has a meaning,
// docs and attributes, in a fixed order, each name defined once and with a namespace only where that changes.
std::string avro_canonical(const AvroType& root);

}  // namespace pg
