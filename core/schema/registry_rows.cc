#include "core/schema/registry_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "core/schema/bounded_json.h"

namespace pg {
namespace {

using Kind = RegistryKey::Kind;
constexpr std::array<std::pair<Kind, std::string_view>, 6> kKinds = {{{Kind::schema, "SCHEMA"},
                                                                      {Kind::config, "CONFIG"},
                                                                      {Kind::mode, "MODE"},
                                                                      {Kind::delete_subject, "DELETE_SUBJECT"},
                                                                      {Kind::clear_subject, "CLEAR_SUBJECT"},
                                                                      {Kind::noop, "NOOP"}}};
constexpr std::array<std::string_view, 7> kLevels = {
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"};
constexpr std::array<std::string_view, 2> kModes = {"READWRITE", "READONLY"};

template <typename Word, size_t N>
std::optional<Word> find_word(const std::array<std::string_view, N>& words, std::string_view name) {
  const auto upper = [](char c) { return std::toupper(static_cast<unsigned char>(c)); };
  const auto found = std::ranges::find_if(
      words, [&](std::string_view word) { return std::ranges::equal(word, name, {}, upper, upper); });
  if (found == words.end()) return std::nullopt;
  return static_cast<Word>(found - words.begin());
}

// Only an object may be a row.
std::optional<Json> parse_object(std::string_view text) {
  auto json = parse_bounded_json(text);
  if (!json || !json->is_object()) return std::nullopt;
  return std::move(*json);
}

// Null: there is none.
const Json* member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> text_member(const Json& object, const char* name) {
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

// Ids and versions: from 1.
std::optional<int32_t> number_member(const Json& object, const char* name) {
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_number_integer()) return std::nullopt;
  const auto value = found->get<int64_t>();
  if (value < 1 || value > INT32_MAX) return std::nullopt;
  return static_cast<int32_t>(value);
}

std::string json_text(std::string_view text) { return to_one_line(Json(text)); }

}  // namespace

std::string_view level_name(CompatibilityLevel level) { return kLevels[static_cast<size_t>(level)]; }
std::optional<CompatibilityLevel> parse_level(std::string_view name) {
  return find_word<CompatibilityLevel>(kLevels, name);
}
std::string_view mode_name(RegistryMode mode) { return kModes[static_cast<size_t>(mode)]; }
std::optional<RegistryMode> parse_mode(std::string_view name) { return find_word<RegistryMode>(kModes, name); }

std::optional<RegistryKey> parse_registry_key(std::string_view text) {
  const auto json = parse_object(text);
  if (!json) return std::nullopt;
  const auto word = text_member(*json, "keytype");
  const auto kind = std::ranges::find_if(kKinds, [&](const auto& each) { return word && each.second == *word; });
  if (kind == kKinds.end()) return std::nullopt;
  RegistryKey key{kind->first, text_member(*json, "subject")};
  const bool of_one = key.kind == Kind::schema || key.kind == Kind::delete_subject || key.kind == Kind::clear_subject;
  if (of_one && !key.subject) return std::nullopt;
  if (key.kind != Kind::schema) return key;
  const auto version = number_member(*json, "version");
  if (!version) return std::nullopt;
  key.version = *version;
  return key;
}

std::string write_registry_key(const RegistryKey& key) {
  const std::string_view kind = kKinds[static_cast<size_t>(key.kind)].second;
  if (key.kind == Kind::noop) return fmt::format(R"({{"keytype":"{}","magic":0}})", kind);
  const std::string subject = key.subject ? json_text(*key.subject) : "null";
  if (key.kind != Kind::schema) return fmt::format(R"({{"keytype":"{}","subject":{},"magic":0}})", kind, subject);
  return fmt::format(R"({{"keytype":"{}","subject":{},"version":{},"magic":1}})", kind, subject, key.version);
}

std::optional<SchemaRow> parse_schema_row(std::string_view text) {
  const auto json = parse_object(text);
  if (!json) return std::nullopt;
  const auto id = number_member(*json, "id");
  auto schema = text_member(*json, "schema");
  if (!id || !schema) return std::nullopt;
  SchemaRow row{*id, SchemaType::avro, std::move(*schema)};
  if (const Json* type = member(*json, "schemaType")) {
    row.type = type->is_string() ? parse_schema_type(type->get<std::string>()) : std::nullopt;
  }
  const Json* deleted = member(*json, "deleted");
  row.deleted = deleted != nullptr && deleted->is_boolean() && deleted->get<bool>();
  const Json* references = member(*json, "references");
  if (references != nullptr && !references->empty()) row.references = to_one_line(*references);
  return row;
}

std::string write_schema_row(const std::string& subject, int32_t version, const SchemaRow& row) {
  const std::string type = !row.type || *row.type == SchemaType::avro
                               ? ""
                               : fmt::format(R"("schemaType":"{}",)", schema_type_name(*row.type));
  return fmt::format(R"({{"subject":{},"version":{},"id":{},{}"schema":{},"deleted":{}}})", json_text(subject), version,
                     row.id, type, json_text(row.text), row.deleted);
}

std::string mark_deleted(std::string_view text) {
  auto json = parse_object(text);
  if (!json) return std::string(text);
  (*json)["deleted"] = true;
  return to_one_line(*json);
}

std::optional<CompatibilityLevel> parse_config_row(std::string_view text) {
  const auto json = parse_object(text);
  const auto word = json ? text_member(*json, "compatibilityLevel") : std::nullopt;
  return word ? parse_level(*word) : std::nullopt;
}

std::string write_config_row(CompatibilityLevel level) {
  return fmt::format(R"({{"compatibilityLevel":"{}"}})", level_name(level));
}

std::optional<RegistryMode> parse_mode_row(std::string_view text) {
  const auto json = parse_object(text);
  const auto word = json ? text_member(*json, "mode") : std::nullopt;
  if (!word) return std::nullopt;
  return parse_mode(*word).value_or(RegistryMode::readonly);
}

std::string write_mode_row(RegistryMode mode) { return fmt::format(R"({{"mode":"{}"}})", mode_name(mode)); }

std::optional<int32_t> parse_number_row(std::string_view text, const char* name) {
  const auto json = parse_object(text);
  return json ? number_member(*json, name) : std::nullopt;
}

std::string write_delete_subject_row(const std::string& subject, int32_t version) {
  return fmt::format(R"({{"subject":{},"version":{}}})", json_text(subject), version);
}

std::string write_greatest_id_row(int32_t id) { return fmt::format(R"({{"id":{}}})", id); }

}  // namespace pg
