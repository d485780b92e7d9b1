// A schema: what the values of a topic look like. Three languages, one face; core/schema/registry.h keeps them.
//
// The words, rules and codes are those of Confluent's Schema Registry, so that its clients work with ours.
// Pure: no I/O. A Schema does not change once it is parsed, and may be used by several threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace pg {

enum class SchemaType { avro, json, protobuf };

// "AVRO": as Confluent's registry writes it.
std::string_view schema_type_name(SchemaType type);
// In either case. None: no such type.
std::optional<SchemaType> parse_schema_type(std::string_view name);

// How changes of open content models are judged (JSON Schema alone): Confluent's rules are the strict ones.
enum class CompatibilityPolicy { strict, lenient };

// One reason why what was written with one schema cannot be read with another.
struct Incompatibility {
  std::string kind;     // Confluent's word: READER_FIELD_MISSING_DEFAULT_VALUE
  std::string path;     // where in the schema: "/fields/2/type", "#/properties/name"
  std::string message;  // for people
};

class Schema {
 public:
  virtual ~Schema() = default;

  virtual SchemaType type() const = 0;
  // The text that is stored. Two schemas are the same if these are.
  virtual const std::string& canonical() const = 0;
  // Confluent's "normalize": the same for texts that differ only in what does not matter, such as the order of members
  // in JSON.
  virtual std::string normal() const { return canonical(); }
  // What Confluent's "format=serialized" gives: of Protobuf the FileDescriptorProto in base64, of others the text.
  virtual std::string serialized() const { return canonical(); }

  // Why data written with `writer`, a schema of the same type, could not be read with this one. Empty: it can.
  // Errc::limit: the two are too large to be compared.
  virtual Result<std::vector<Incompatibility>> cannot_read(const Schema& writer, CompatibilityPolicy policy) const = 0;

  // One JSON text to the bytes of a value, as they follow the header of the wire format (core/schema/wire_format.h),
  // and back to one line of JSON. What does not match is Errc::invalid_argument, and the message says where and why;
  // bytes that are not what the schema says are Errc::corrupt; a draft that cannot be validated is
  // Errc::unsupported_version.
  virtual Result<std::string> encode(std::string_view json) const = 0;
  virtual Result<std::string> decode(std::string_view payload) const = 0;
};

// Errc::invalid_argument, with the place, if it is not a schema of this type, or larger or deeper than
// core/base/limits.h allows.
Result<std::unique_ptr<Schema>> parse_schema(SchemaType type, std::string_view text);

}  // namespace pg
