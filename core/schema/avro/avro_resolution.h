// Whether what was written with one Avro schema can be read with another: the specification's schema resolution.
#pragma once

#include <vector>

#include "core/schema/avro/avro_type.h"
#include "core/schema/schema.h"

namespace pg {

// Why not, in the words of Avro's SchemaCompatibility and Confluent's registry, with places in the reader's schema. As
// there, names match without their namespace. Empty: it can be read.
std::vector<Incompatibility> avro_incompatibilities(const AvroType& reader, const AvroType& writer);

}  // namespace pg
