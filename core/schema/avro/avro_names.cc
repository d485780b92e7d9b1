#include "core/schema/avro/avro_names.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/schema/avro/avro_type.h"

namespace pg {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_letter_or_digit(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

}  // namespace

std::string AvroName::within(std::string_view current) const {
  // "ns.int" must not become "int".
  return space == current && !avro_kind_of(name) ? name : full();
}

bool is_avro_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, is_letter_or_digit);
}

bool is_avro_namespace(std::string_view text) {
  return text.empty() || std::ranges::all_of(split(text, '.'), is_avro_name);
}

std::optional<AvroName> parse_avro_name(std::string_view text, std::string_view space) {
  if (const size_t dot = text.rfind('.'); dot != std::string_view::npos) {
    space = text.substr(0, dot);
    text.remove_prefix(dot + 1);
  }
  if (!is_avro_name(text) || !is_avro_namespace(space)) return std::nullopt;
  return AvroName{std::string(space), std::string(text)};
}

}  // namespace pg
