// The rows of _schemas, as Confluent's Schema Registry writes them: JSON to structs and back.
//
//   key    {"keytype":"SCHEMA","subject":"s","version":1,"magic":1}
//   value  {"subject":"s","version":1,"id":7,"schemaType":"JSON","schema":"…","deleted":false}
//   key    {"keytype":"CONFIG","subject":"s","magic":0}            value  {"compatibilityLevel":"FULL"}
//   key    {"keytype":"MODE","subject":"s","magic":0}              value  {"mode":"READONLY"}
//   key    {"keytype":"DELETE_SUBJECT","subject":"s","magic":0}    value  {"subject":"s","version":2}
//   key    {"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}     value  {"subject":"s"}
//   key    {"keytype":"NOOP","magic":0}                            value  null, or {"id":9}
//
// The type is left out for AVRO; a subject that is null stands for all subjects. DELETE_SUBJECT deletes the versions up
// to its own, softly. A NOOP's id is ours: the greatest one that was ever given, for which no row may be left;
// Confluent's registry does not look at it. Members that are not known (references, metadata, ruleSet) stay as they
// are.
//
// Source: confluentinc/schema-registry, core/src/main/java/io/confluent/kafka/schemaregistry/storage/*{Key,Value}.java.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/schema/schema.h"

namespace pg {

// Confluent's compatibility levels: which readers and writers must understand each other.
enum class CompatibilityLevel {
  none,
  backward,
  backward_transitive,
  forward,
  forward_transitive,
  full,
  full_transitive
};
inline constexpr CompatibilityLevel kCompatibilityLevelDefault = CompatibilityLevel::backward;

std::string_view level_name(CompatibilityLevel level);                 // "BACKWARD"
std::optional<CompatibilityLevel> parse_level(std::string_view name);  // in either case

// Whether a subject takes changes.
enum class RegistryMode { readwrite, readonly };

std::string_view mode_name(RegistryMode mode);
std::optional<RegistryMode> parse_mode(std::string_view name);

// The key of a row of _schemas.
struct RegistryKey {
  // What a row is about.
  enum class Kind { schema, config, mode, delete_subject, clear_subject, noop };
  Kind kind = Kind::noop;
  std::optional<std::string> subject = {};  // none: all subjects
  int32_t version = 0;                      // of a schema
};

// Empty: not a key of the registry; the reader passes over the record.
std::optional<RegistryKey> parse_registry_key(std::string_view json);
std::string write_registry_key(const RegistryKey& key);

// A version of a subject, or rather what its row says of it.
struct SchemaRow {
  int32_t id = 0;
  std::optional<SchemaType> type;  // none: one that we do not know
  std::string text;
  bool deleted = false;
  std::string references = {};  // JSON; empty: there are none
};

std::optional<SchemaRow> parse_schema_row(std::string_view json);
std::string write_schema_row(const std::string& subject, int32_t version, const SchemaRow& row);
// The same row, deleted: whatever else it says stays.
std::string mark_deleted(std::string_view json);

std::optional<CompatibilityLevel> parse_config_row(std::string_view json);
std::string write_config_row(CompatibilityLevel level);
// A mode that we do not know forbids writing: all of Confluent's others do.
std::optional<RegistryMode> parse_mode_row(std::string_view json);
std::string write_mode_row(RegistryMode mode);
// A member that is a number: the "version" of a DELETE_SUBJECT, the "id" of a NOOP.
std::optional<int32_t> parse_number_row(std::string_view json, const char* member);
std::string write_delete_subject_row(const std::string& subject, int32_t version);
std::string write_greatest_id_row(int32_t id);

}  // namespace pg
