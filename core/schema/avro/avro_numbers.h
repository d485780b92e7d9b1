// Numbers in JSON to Avro's, as long as nothing is lost that the JSON had.
#pragma once

#include <cstdint>
#include <optional>

#include "core/schema/bounded_json.h"

namespace pg {

// 3.0 is an integer as well.
std::optional<int64_t> avro_integer(const Json& json);

// "NaN", "Infinity" and "-Infinity" too, for which JSON has no numbers. None: no number, an integer that would be
// another one, or too large. Fractions are rounded as always.
std::optional<float> avro_float(const Json& json);
std::optional<double> avro_double(const Json& json);

}  // namespace pg
