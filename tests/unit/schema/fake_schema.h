// A language of schemas in which tests can say what they mean: fields, by commas; one that ends with "?" has a default.
// What is read with a schema must have all its fields that have none.
#pragma once

#include <algorithm>

#include "core/base/text.h"
#include "core/schema/schema.h"

namespace pg {

class FakeSchema : public Schema {
 public:
  FakeSchema(SchemaType type, std::string text) : type_(type), text_(std::move(text)) {}
  SchemaType type() const override { return type_; }
  const std::string& canonical() const override { return text_; }

  Result<std::vector<Incompatibility>> cannot_read(const Schema& writer, CompatibilityPolicy policy) const override {
    std::vector<Incompatibility> found;
    const auto written = split(writer.canonical(), ',');
    for (const auto field : split(text_, ',')) {
      if (field.ends_with('?') || policy == CompatibilityPolicy::lenient || std::ranges::count(written, field) > 0)
        continue;
      found.push_back({"FIELD_MISSING", "/" + std::string(field), "nothing was written"});
    }
    return found;
  }

  Result<std::string> encode(std::string_view json) const override { return text_ + "|" + std::string(json); }
  Result<std::string> decode(std::string_view payload) const override {
    return std::string(payload.substr(text_.size() + 1));
  }

  // Blanks do not matter; "!" is no schema.
  static Result<std::unique_ptr<Schema>> parse(SchemaType type, std::string_view text) {
    std::string canonical(text);
    std::erase(canonical, ' ');
    if (canonical.find('!') != std::string::npos) return fail(Errc::invalid_argument, "'!' at column 1");
    return std::unique_ptr<Schema>(std::make_unique<FakeSchema>(type, canonical));
  }

 private:
  SchemaType type_;
  std::string text_;
};

}  // namespace pg
