// Text to values and back: strict parsers that accept a whole string or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"

namespace pg {

// A decimal integer, with an optional minus sign and nothing else.
std::optional<int64_t> parse_integer(std::string_view text);

// A non-negative number with a unit: us, ms, s, m, h or d. A bare number is refused, except "0".
std::optional<Duration> parse_duration(std::string_view text);

// Bytes: a number with an optional K, M or G (powers of 1024).
std::optional<int64_t> parse_size(std::string_view text);

bool is_utf8(std::string_view text);

std::string hex(std::string_view bytes);
std::string base64(std::string_view bytes);
// Empty where `text` is not canonical, padded base64.
std::optional<std::string> base64_decode(std::string_view text);

// RFC 3339 in UTC with milliseconds: 2026-11-23T05:28:20.123Z. `milliseconds` since the epoch; beyond the years 0000 to
// 9999 with six digits or more and a sign, as ECMAScript writes it: +055840-11-08T22:13:20.000Z.
std::string rfc3339_utc(int64_t milliseconds);

// 16 bytes as Kafka prints its Uuid: URL-safe base64 without padding, 22 characters.
std::string uuid_text(const Uuid& id);
std::optional<Uuid> parse_uuid(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace pg
