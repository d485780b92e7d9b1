#include "core/schema/json/json_schema.h"

#include <fmt/format.h>

#include "core/schema/json/json_document.h"
#include "core/schema/json/json_schema_diff.h"
#include "core/schema/json/json_validation.h"

namespace pg {
namespace {

class JsonSchema : public Schema {
 public:
  explicit JsonSchema(std::unique_ptr<const JsonDocument> document)
      : document_(std::move(document)), canonical_(to_one_line(document_->root)) {}

  SchemaType type() const override { return SchemaType::json; }
  const std::string& canonical() const override { return canonical_; }
  std::string normal() const override {
    return to_one_line(Json(nlohmann::json(document_->root)));
  }  // members by their names
  Result<std::vector<Incompatibility>> cannot_read(const Schema& writer, CompatibilityPolicy policy) const override;
  Result<std::string> encode(std::string_view json) const override;
  Result<std::string> decode(std::string_view payload) const override;

 private:
  const std::unique_ptr<const JsonDocument> document_;
  const std::string canonical_;
};

Result<std::vector<Incompatibility>> JsonSchema::cannot_read(const Schema& writer, CompatibilityPolicy policy) const {
  if (writer.canonical() == canonical_) return std::vector<Incompatibility>();
  return json_incompatibilities(*static_cast<const JsonSchema&>(writer).document_, *document_, policy);
}

// The payload of a value is its JSON text, as it came.
Result<std::string> JsonSchema::encode(std::string_view json) const {
  if (!is_validated(document_->dialect.draft)) {
    const auto& draft = document_->dialect.name;
    return fail(Errc::unsupported_version,
                fmt::format("values cannot be checked against schemas of {}, only of draft 4, 6 and 7", draft));
  }
  if (!document_->unsupported_pattern.empty()) {
    return fail(Errc::unsupported_version,
                fmt::format("values cannot be checked against the pattern {}", document_->unsupported_pattern));
  }
  PG_ASSIGN(const Json value, parse_bounded_json(json));
  PG_CHECK(JsonValidation(*document_, json.size()).run(value));
  return std::string(json);
}

Result<std::string> JsonSchema::decode(std::string_view payload) const {
  const auto value = parse_bounded_json(payload);
  if (!value) return fail(Errc::corrupt, "no JSON: " + value.error().what);
  return without_whitespace(payload);
}

}  // namespace

Result<std::unique_ptr<Schema>> parse_json_schema(std::string_view text) {
  PG_ASSIGN(auto document, read_json_document(text));
  return std::make_unique<JsonSchema>(std::move(document));
}

}  // namespace pg
