// A parsed Avro schema: a graph, since a named type may contain itself.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/schema/avro/avro_names.h"
#include "core/schema/bounded_json.h"

namespace pg {

// In the order of kAvroKindNames.
enum class AvroKind {
  null,
  boolean,
  int32,
  int64,
  float32,
  float64,
  bytes,
  string,
  record,
  enumeration,
  fixed,
  array,
  map,
  one_of
};

// The specification's word: "int", "enum", "union".
std::string_view avro_kind_name(AvroKind kind);
std::optional<AvroKind> avro_kind_of(std::string_view name);

inline bool is_primitive(AvroKind kind) { return kind <= AvroKind::string; }
inline bool is_named(AvroKind kind) { return kind >= AvroKind::record && kind <= AvroKind::fixed; }

struct AvroType;

// A field of a record.
struct AvroField {
  std::string name;
  const AvroType* type = nullptr;
  std::vector<std::string> aliases;
  std::optional<Json> default_value;
  // What only the text shows.
  std::optional<std::string> doc;
  std::string order;  // empty: ascending
  Json attributes;
};

struct AvroType {
  AvroKind kind;
  AvroName name;                          // named types
  std::vector<AvroName> aliases;          // named types
  std::vector<AvroField> fields;          // record
  std::vector<std::string> symbols;       // enum
  std::optional<std::string> otherwise;   // enum: the reader's symbol for what it does not know
  std::vector<const AvroType*> branches;  // union
  const AvroType* items = nullptr;        // array; map: of its values
  size_t size = 0;                        // fixed
  // Where a field, symbol or branch of this name is.
  std::unordered_map<std::string, size_t> positions;
  // What only the text shows.
  bool is_error = false;
  std::optional<std::string> doc;
  Json attributes;
};

// What a branch of a union is called.
std::string avro_branch_name(const AvroType& type);

// All types of a schema.
struct AvroTree {
  std::deque<AvroType> types;  // pointers to them stay valid
  const AvroType* root = nullptr;
};

}  // namespace pg
