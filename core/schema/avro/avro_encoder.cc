#include "core/schema/avro/avro_encoder.h"

#include <bit>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/schema/avro/avro_error.h"
#include "core/schema/avro/avro_numbers.h"

namespace pg {
namespace {

// Defaults may stand in defaults, so that a short schema can ask for any amount of them.
constexpr size_t kDefaultsMax = 16 << 20;
constexpr size_t kShownMax = 40;

tl::unexpected<Error> wrong(std::string_view reason) { return avro_fail(Errc::invalid_argument, reason); }

std::string shown(const Json& json) {
  if (json.is_array()) return "an array";
  if (json.is_object()) return "an object";
  if (!json.is_string()) return to_one_line(json);
  std::string text = json.get<std::string>();
  if (text.size() <= kShownMax) return fmt::format("'{}'", text);
  size_t end = kShownMax;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  return fmt::format("'{}...'", text.substr(0, end));
}

tl::unexpected<Error> not_of_type(std::string_view what, const Json& json) {
  return wrong(fmt::format("{} is not of type {}", shown(json), what));
}

// Characters up to U+00FF, each a byte, from UTF-8.
std::optional<std::string> latin1(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<uint8_t>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
    } else if (first <= 0xc3 && i + 1 < text.size()) {
      bytes += static_cast<char>(first << 6 | (static_cast<uint8_t>(text[++i]) & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

template <class Bits, class Float>
bool put_little_endian(std::string& to, std::optional<Float> number) {
  if (!number) return false;
  const auto bits = std::bit_cast<Bits>(*number);
  for (size_t i = 0; i < sizeof bits; ++i) to += static_cast<char>(bits >> 8 * i);
  return true;
}

// All members are fields, and what is missing has a default.
bool could_be_record(const AvroType& type, const Json& json) {
  size_t required = 0, required_given = 0;
  for (const AvroField& field : type.fields) required += !field.default_value;
  for (const auto& [name, value] : json.items()) {
    const auto found = type.positions.find(name);
    if (found == type.positions.end()) return false;
    required_given += !type.fields[found->second].default_value;
  }
  return required_given == required;
}

// Whether it can be a value of the type, as far as one level shows.
bool could_be(const AvroType& type, const Json& json) {
  if (type.kind == AvroKind::record) return json.is_object() && could_be_record(type, json);
  if (type.kind == AvroKind::map) return json.is_object();
  if (type.kind == AvroKind::array) return json.is_array();
  std::string unused;
  return AvroEncoder(unused).append(type, json).has_value();
}

}  // namespace

Result<> AvroEncoder::append(const AvroType& type, const Json& json) { return value(type, json); }

Result<> AvroEncoder::append_default(const AvroType& type, const Json& json) {
  ++defaults_;
  const size_t before = to_.size();
  PG_CHECK(value(type, json));
  --defaults_;
  return spend(to_.size() - before);
}

Result<> AvroEncoder::value(const AvroType& type, const Json& json) {
  if (defaults_ > 0) PG_CHECK(spend(1));
  switch (type.kind) {
    case AvroKind::record:
      return record(type, json);
    case AvroKind::enumeration:
      return enumeration(type, json);
    case AvroKind::fixed:
      return bytes(json, type.size);
    case AvroKind::array:
      return array(type, json);
    case AvroKind::map:
      return map(type, json);
    case AvroKind::one_of:
      return one_of(type, json);
    default:
      return primitive(type.kind, json);
  }
}

Result<> AvroEncoder::primitive(AvroKind kind, const Json& json) {
  if (kind == AvroKind::bytes) return bytes(json, {});
  if (!put_primitive(kind, json)) return not_of_type(avro_kind_name(kind), json);
  return {};
}

bool AvroEncoder::put_primitive(AvroKind kind, const Json& json) {
  switch (kind) {
    case AvroKind::null:
      return json.is_null();
    case AvroKind::boolean:
      if (json.is_boolean()) to_ += static_cast<char>(json.get<bool>());
      return json.is_boolean();
    case AvroKind::string:
      if (json.is_string()) put_text(json.get_ref<const std::string&>());
      return json.is_string();
    case AvroKind::float32:
      return put_little_endian<uint32_t>(to_, avro_float(json));
    case AvroKind::float64:
      return put_little_endian<uint64_t>(to_, avro_double(json));
    default:
      return put_integer(kind, json);
  }
}

bool AvroEncoder::put_integer(AvroKind kind, const Json& json) {
  const auto number = avro_integer(json);
  if (!number || (kind == AvroKind::int32 && *number != static_cast<int32_t>(*number))) return false;
  put_long(*number);
  return true;
}

// `size`: of a fixed, which has no length in front.
Result<> AvroEncoder::bytes(const Json& json, std::optional<size_t> size) {
  const std::string_view what = size ? "fixed" : "bytes";
  if (!json.is_string()) return not_of_type(what, json);
  const auto text = latin1(json.get_ref<const std::string&>());
  if (!text)
    return wrong(fmt::format("{} is not of type {}: its characters are bytes, up to \\u00ff", shown(json), what));
  if (!size)
    put_long(static_cast<int64_t>(text->size()));
  else if (text->size() != *size)
    return wrong(fmt::format("{} bytes instead of {}", text->size(), *size));
  to_ += *text;
  return {};
}

Result<> AvroEncoder::enumeration(const AvroType& type, const Json& json) {
  const auto found = json.is_string() ? type.positions.find(json.get_ref<const std::string&>()) : type.positions.end();
  if (found == type.positions.end())
    return wrong(fmt::format("{} is not a symbol of {}", shown(json), type.name.full()));
  put_long(static_cast<int64_t>(found->second));
  return {};
}

Result<> AvroEncoder::array(const AvroType& type, const Json& json) {
  if (!json.is_array()) return not_of_type("array", json);
  PG_CHECK(enter());
  if (!json.empty()) put_long(static_cast<int64_t>(json.size()));
  size_t i = 0;
  for (const Json& item : json) {
    const std::string step = std::to_string(i++);
    PG_CHECK(value(*type.items, item).map_error(under(step)));
  }
  put_long(0);
  --depth_;
  return {};
}

Result<> AvroEncoder::map(const AvroType& type, const Json& json) {
  if (!json.is_object()) return not_of_type("map", json);
  PG_CHECK(enter());
  if (!json.empty()) put_long(static_cast<int64_t>(json.size()));
  for (const auto& [key, item] : json.items()) {
    put_text(key);
    PG_CHECK(value(*type.items, item).map_error(under(key)));
  }
  put_long(0);
  --depth_;
  return {};
}

Result<> AvroEncoder::record(const AvroType& type, const Json& json) {
  if (!json.is_object()) return not_of_type(fmt::format("record {}", type.name.full()), json);
  PG_CHECK(enter());
  std::vector<const Json*> given(type.fields.size());
  for (const auto& [name, member] : json.items()) {
    const auto found = type.positions.find(name);
    if (found == type.positions.end()) return at(under(name), wrong("no such field"));
    given[found->second] = &member;
  }
  for (size_t i = 0; i < given.size(); ++i) {
    const AvroField& field = type.fields[i];
    PG_CHECK((given[i] != nullptr ? value(*field.type, *given[i]) : missing_field(field)).map_error(under(field.name)));
  }
  --depth_;
  return {};
}

Result<> AvroEncoder::missing_field(const AvroField& field) {
  if (field.default_value) return append_default(*field.type, *field.default_value);
  return wrong("missing, and the field has no default");
}

Result<> AvroEncoder::one_of(const AvroType& type, const Json& json) {
  PG_ASSIGN(const Chosen chosen, choose(type, json));
  const AvroType& branch = *type.branches[chosen.branch];
  put_long(static_cast<int64_t>(chosen.branch));
  if (branch.kind == AvroKind::null) return value(branch, *chosen.value);
  PG_CHECK(enter());  // as it is in the JSON that comes out
  auto done = value(branch, *chosen.value);
  if (!done && chosen.value != &json) return std::move(done).map_error(under(avro_branch_name(branch)));
  --depth_;
  return done;
}

Result<AvroEncoder::Chosen> AvroEncoder::choose(const AvroType& type, const Json& json) const {
  if (defaults_ == 0 && json.is_object() && json.size() == 1) {
    const auto named = type.positions.find(json.begin().key());
    if (named != type.positions.end()) return Chosen{named->second, &json.begin().value()};
  }
  std::vector<size_t> possible;
  for (size_t i = 0; i < type.branches.size(); ++i) {
    if (could_be(*type.branches[i], json)) possible.push_back(i);
  }
  if (possible.size() == 1 || (defaults_ > 0 && !possible.empty())) return Chosen{possible.front(), &json};
  std::vector<std::string> names;
  for (const AvroType* branch : type.branches) names.push_back(avro_branch_name(*branch));
  if (possible.empty()) return not_of_type(fmt::format("{}", fmt::join(names, " or ")), json);
  return wrong(fmt::format("{} may be {} or {}: say which, as in {{\"{}\": ...}}", shown(json), names[possible[0]],
                           names[possible[1]], names[possible[0]]));
}

void AvroEncoder::put_long(int64_t number) {
  std::byte varint[kVarintBytesMax];
  to_ += as_text({varint, write_varint(varint, number)});
}

void AvroEncoder::put_text(std::string_view text) {
  put_long(static_cast<int64_t>(text.size()));
  to_ += text;
}

Result<> AvroEncoder::enter() {
  if (++depth_ > kSchemaDepthMax) return wrong(fmt::format("nested more than {} levels deep", kSchemaDepthMax));
  return {};
}

Result<> AvroEncoder::spend(size_t amount) {
  spent_on_defaults_ += amount;
  if (spent_on_defaults_ > kDefaultsMax)
    return wrong(fmt::format("its defaults take more than {} MiB", kDefaultsMax >> 20));
  return {};
}

}  // namespace pg
