#include "core/schema/json/json_equality.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/schema/json/json_access.h"

namespace pg {
namespace {

static_assert(std::numeric_limits<long double>::digits >= 64, "number_of has to hold every 64-bit integer");

void append(std::string& out, const Json& value);

void append_number(std::string& out, const Json& number) {
  const long double value = number_of(number);
  // A double that is whole may be an integer as well.
  if (number.is_number_float() && is_whole(number) && value >= -0x1p63L && value < 0x1p64L) {
    out += value < 0 ? std::to_string(static_cast<int64_t>(value)) : std::to_string(static_cast<uint64_t>(value));
  } else {
    out += number.dump();
  }
}

void append_array(std::string& out, const Json& array) {
  out += '[';
  for (const auto& item : array) {
    append(out, item);
    out += ',';
  }
  out += ']';
}

void append_object(std::string& out, const Json& object) {
  std::vector<std::pair<const std::string*, const Json*>> members;
  for (const auto& [name, value] : members_of(object)) members.emplace_back(&name, &value);
  std::ranges::sort(members, {}, [](const auto& member) -> const std::string& { return *member.first; });
  out += '{';
  for (const auto& [name, value] : members) {
    out += Json(*name).dump();
    out += ':';
    append(out, *value);
    out += ',';
  }
  out += '}';
}

void append(std::string& out, const Json& value) {
  if (value.is_number())
    append_number(out, value);
  else if (value.is_array())
    append_array(out, value);
  else if (value.is_object())
    append_object(out, value);
  else
    out += value.dump();
}

}  // namespace

std::string comparable(const Json& value) {
  std::string text;
  append(text, value);
  return text;
}

size_t size_of(const Json& value) {
  size_t size = 1;
  if (value.is_string()) size += text_of(value).size() / 8;
  if (value.is_array()) {
    for (const auto& item : value) size += size_of(item);
  } else if (value.is_object()) {
    for (const auto& [name, member] : members_of(value)) size += name.size() / 8 + size_of(member);
  }
  return size;
}

bool is_whole(const Json& number) {
  return number.is_number_integer() || (number.is_number() && std::trunc(number.get<double>()) == number.get<double>());
}

}  // namespace pg
