// When two JSON values are the same for JSON Schema: the order of members does not count, 1 and 1.0 are one number.
#pragma once

#include <string>

#include "core/schema/bounded_json.h"

namespace pg {

// Equal for equal values, and only for those.
std::string comparable(const Json& value);

// How many values there are in it, itself included: what comparing it costs.
size_t size_of(const Json& value);

// As precise as anything that a Json holds.
inline long double number_of(const Json& number) {
  if (number.is_number_unsigned()) return static_cast<long double>(number.get<uint64_t>());
  if (number.is_number_integer()) return static_cast<long double>(number.get<int64_t>());
  return static_cast<long double>(number.get<double>());
}

// 3 and 3.0, but not 3.5.
bool is_whole(const Json& number);

}  // namespace pg
