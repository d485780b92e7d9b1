#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace pg {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) {
  const auto at = kBase64.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<int64_t> scaled(std::string_view digits, int64_t unit) {
  const auto number = parse_integer(digits);
  if (!number || *number < 0 || *number > std::numeric_limits<int64_t>::max() / unit) return {};
  return *number * unit;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
  using namespace std::chrono;
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"us", nanoseconds(microseconds(1)).count()}, {"ms", nanoseconds(milliseconds(1)).count()},
      {"s", nanoseconds(seconds(1)).count()},       {"m", nanoseconds(minutes(1)).count()},
      {"h", nanoseconds(hours(1)).count()},         {"d", nanoseconds(hours(24)).count()}};
  if (text == "0") return Duration(0);
  for (const auto& [unit, nanos] : kUnits) {
    if (!text.ends_with(unit)) continue;
    if (const auto value = scaled(text.substr(0, text.size() - unit.size()), nanos)) return Duration(*value);
  }
  return {};
}

std::optional<int64_t> parse_size(std::string_view text) {
  if (text.empty()) return {};
  int64_t unit = 1;
  switch (text.back()) {
    case 'K':
      unit = int64_t{1} << 10;
      break;
    case 'M':
      unit = int64_t{1} << 20;
      break;
    case 'G':
      unit = int64_t{1} << 30;
      break;
    default:
      return scaled(text, 1);
  }
  return scaled(text.substr(0, text.size() - 1), unit);
}

bool is_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const auto* const end = p + text.size();
  while (p < end) {
    const uint8_t lead = *p++;
    if (lead < 0x80) continue;
    int more;
    uint8_t low = 0x80, high = 0xbf;  // bounds of the second byte: no overlong form, surrogate or value above U+10FFFF
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    for (; more > 0; --more, low = 0x80, high = 0xbf) {
      if (p == end || *p < low || *p > high) return false;
      ++p;
    }
  }
  return true;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kBase64[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const int padding = !last ? 0 : text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    uint32_t group = 0;
    for (int k = 0; k < 4; ++k) {
      const int value = k >= 4 - padding ? 0 : base64_value(text[i + static_cast<size_t>(k)]);
      if (value < 0) return {};
      group = group << 6 | static_cast<uint32_t>(value);
    }
    if (group & ((1u << (8 * padding)) - 1)) return {};  // bits that no byte uses: not what base64() writes
    for (int k = 0; k < 3 - padding; ++k) bytes += static_cast<char>(group >> (16 - 8 * k));
  }
  return bytes;
}

std::string rfc3339_utc(int64_t milliseconds) {
  // Civil date arithmetic without the C library's time zone machinery, for every int64_t: <chrono> ends with the
  // year 32767. The days are counted from 1 March 0000, in eras of 400 years.
  constexpr int64_t kDay = 86'400'000, kEra = 146'097;
  const int64_t rest = milliseconds % kDay, clock = rest < 0 ? rest + kDay : rest,
                days = milliseconds / kDay - (rest < 0);
  const int64_t since = days + 719'468, era = since / kEra - (since % kEra < 0), day_of_era = since - era * kEra;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153, day = day_of_year - (153 * march_month + 2) / 5 + 1;
  const int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  const int64_t year = era * 400 + year_of_era + (month <= 2);
  // Six digits and a sign are what ECMAScript's Date reads and writes.
  const bool is_long = year < 0 || year > 9999;
  const std::string years = is_long ? fmt::format("{:+07}", year) : fmt::format("{:04}", year);
  return fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", years, month, day, clock / 3'600'000,
                     clock / 60'000 % 60, clock / 1000 % 60, clock % 1000);
}

std::string uuid_text(const Uuid& id) {
  std::string text = base64({reinterpret_cast<const char*>(id.data()), id.size()});
  text.resize(22);  // the padding
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 22 || text.find_first_of("+/") != std::string_view::npos) return {};
  std::string standard(text);
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const auto bytes = base64_decode(standard + "==");
  if (!bytes || bytes->size() != 16) return {};
  Uuid id;
  for (size_t i = 0; i < id.size(); ++i) id[i] = static_cast<uint8_t>((*bytes)[i]);
  return id;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace pg
