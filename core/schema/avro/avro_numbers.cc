#include "core/schema/avro/avro_numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pg {
namespace {

// The number after the largest: a float has it where it may not have the largest.
template <class Float, class Integer>
bool holds(Float number) {
  const Float end = std::ldexp(Float{1}, std::numeric_limits<Integer>::digits);
  return number >= static_cast<Float>(std::numeric_limits<Integer>::min()) && number < end;
}

template <class Float, class Integer>
std::optional<Float> exactly(Integer integer) {
  const auto number = static_cast<Float>(integer);
  if (!holds<Float, Integer>(number) || static_cast<Integer>(number) != integer) return std::nullopt;
  return number;
}

template <class Float>
std::optional<Float> named_number(const std::string& text) {
  if (text == "NaN") return std::numeric_limits<Float>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<Float>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<Float>::infinity();
  return std::nullopt;
}

template <class Float>
std::optional<Float> narrow(double number) {
  if constexpr (sizeof(Float) == sizeof number) return number;
  constexpr double kLargest = std::numeric_limits<float>::max();
  // From half a step beyond the largest it would be infinity.
  if (std::fabs(number) >= kLargest + std::ldexp(1.0, 103)) return std::nullopt;
  return static_cast<Float>(std::clamp(number, -kLargest, kLargest));
}

template <class Float>
std::optional<Float> floating(const Json& json) {
  if (json.is_string()) return named_number<Float>(json.get_ref<const std::string&>());
  if (json.is_number_unsigned()) return exactly<Float>(json.get<uint64_t>());
  if (json.is_number_integer()) return exactly<Float>(json.get<int64_t>());
  if (!json.is_number_float()) return std::nullopt;
  return narrow<Float>(json.get<double>());
}

}  // namespace

std::optional<int64_t> avro_integer(const Json& json) {
  if (json.is_number_unsigned()) {
    const auto number = json.get<uint64_t>();
    return number <= INT64_MAX ? std::optional(static_cast<int64_t>(number)) : std::nullopt;
  }
  if (json.is_number_integer()) return json.get<int64_t>();
  if (!json.is_number_float()) return std::nullopt;
  const double number = json.get<double>();
  if (number != std::trunc(number) || !holds<double, int64_t>(number)) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::optional<float> avro_float(const Json& json) { return floating<float>(json); }
std::optional<double> avro_double(const Json& json) { return floating<double>(json); }

}  // namespace pg
