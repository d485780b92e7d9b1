#include "core/schema/avro/avro_schema.h"

#include "core/schema/avro/avro_canonical.h"
#include "core/schema/avro/avro_decoder.h"
#include "core/schema/avro/avro_encoder.h"
#include "core/schema/avro/avro_error.h"
#include "core/schema/avro/avro_parser.h"
#include "core/schema/avro/avro_resolution.h"

namespace pg {
namespace {

class AvroSchema final : public Schema {
 public:
  explicit AvroSchema(AvroTree tree) : tree_(std::move(tree)), canonical_(avro_canonical(*tree_.root)) {}

  SchemaType type() const override { return SchemaType::avro; }
  const std::string& canonical() const override { return canonical_; }

  Result<std::vector<Incompatibility>> cannot_read(const Schema& writer, CompatibilityPolicy) const override {
    PG_ASSERT(writer.type() == SchemaType::avro);
    return avro_incompatibilities(*tree_.root, *static_cast<const AvroSchema&>(writer).tree_.root);
  }

  Result<std::string> encode(std::string_view json) const override {
    PG_ASSIGN(const Json value, parse_bounded_json(json));
    std::string bytes;
    PG_CHECK(AvroEncoder(bytes).append(*tree_.root, value).map_error(whole));
    return bytes;
  }

  Result<std::string> decode(std::string_view payload) const override {
    return AvroDecoder(payload).decode(*tree_.root);
  }

 private:
  AvroTree tree_;
  std::string canonical_;
};

}  // namespace

Result<std::unique_ptr<Schema>> parse_avro_schema(std::string_view text) {
  PG_ASSIGN(const Json json, parse_bounded_json(text));
  PG_ASSIGN(AvroTree tree, parse_avro(json));
  return std::make_unique<AvroSchema>(std::move(tree));
}

}  // namespace pg
