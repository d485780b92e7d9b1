#include <fmt/format.h>

#include <map>

#include "core/local/local_cluster.h"
#include "core/schema/registry.h"
#include "core/schema/wire_format.h"
#include "tools/common/value_codec.h"

namespace pg {
namespace {

tl::unexpected<Error> not_of_schema(int32_t id, Error error) {
  error.what = fmt::format("the value is not what the schema with the id {} says: {}", id, error.what);
  return tl::unexpected(std::move(error));
}

class RegistryCodec : public ValueCodec {
 public:
  RegistryCodec(Registry registry, const ValueCodecOptions& options)
      : registry_(std::move(registry)), options_(options) {}

  Result<> open();
  Result<std::string_view> encode(std::string_view json) override;
  Result<std::string_view> decode(std::string_view value) override;

 private:
  Result<const Schema*> schema_of(int32_t id);
  Result<> check_encoded(std::string_view value);

  Registry registry_;
  ValueCodecOptions options_;
  RegisteredSchema chosen_;
  std::shared_ptr<const Schema> schema_;  // of `chosen_`
  std::map<int32_t, std::shared_ptr<const Schema>> by_id_;
  std::map<int32_t, bool> is_of_subject_;  // whether an id is that of a version of it
  std::string value_;
};

Result<> RegistryCodec::open() {
  if (options_.schema) {
    PG_ASSIGN(chosen_, registry_.find(options_.schema->subject, options_.schema->version, Deleted::no));
    PG_ASSIGN(schema_, registry_.parsed(chosen_));
  }
  // Values that are safe on the disk must not name a schema that is not.
  return registry_.flush(options_.deadline);
}

Result<std::string_view> RegistryCodec::encode(std::string_view json) {
  if (options_.takes_encoded && json.starts_with('\0')) {
    PG_CHECK(check_encoded(json));
    return json;
  }
  auto payload = schema_->encode(json);
  if (!payload) {
    Error error = std::move(payload.error());
    const bool differs = error.code == Errc::invalid_argument;
    if (differs) error.code = Errc::conflict;
    error.what = fmt::format("{}version {} of subject '{}': {}", differs ? "the value does not match " : "",
                             chosen_.version, chosen_.subject, error.what);
    return tl::unexpected(std::move(error));
  }
  value_ = to_wire(chosen_.id, *payload);
  return value_;
}

// A value that was copied from another topic, say.
Result<> RegistryCodec::check_encoded(std::string_view value) {
  const auto wire = from_wire(value);
  if (!wire) return fail(Errc::conflict, "the value is neither JSON nor begins with the id of a schema");
  auto known = is_of_subject_.find(wire->schema_id);
  if (known == is_of_subject_.end()) {
    bool found = false;
    if (const auto versions = registry_.versions_of_id(wire->schema_id, Deleted::no)) {
      for (const auto& version : *versions) found = found || version.subject == chosen_.subject;
    }
    known = is_of_subject_.emplace(wire->schema_id, found).first;
  }
  if (!known->second) {
    return fail(Errc::conflict,
                fmt::format("the value names the schema with the id {}, which is not a version of subject '{}'",
                            wire->schema_id, chosen_.subject));
  }
  PG_ASSIGN(const Schema* schema, schema_of(wire->schema_id));
  // Any JSON can be decoded; it takes encoding to compare it with its schema.
  auto matched = schema->type() == SchemaType::json ? schema->encode(wire->payload) : schema->decode(wire->payload);
  if (matched) return {};
  if (matched.error().code == Errc::unsupported_version) return tl::unexpected(std::move(matched.error()));
  matched.error().code = Errc::conflict;
  return not_of_schema(wire->schema_id, std::move(matched.error()));
}

Result<const Schema*> RegistryCodec::schema_of(int32_t id) {
  auto& schema = by_id_[id];
  if (schema) return schema.get();
  auto registered = registry_.find_id(id);
  if (!registered) {  // perhaps since we looked
    PG_CHECK(registry_.catch_up(options_.deadline));
    registered = registry_.find_id(id);
  }
  PG_CHECK(registered);
  PG_ASSIGN(schema, registry_.parsed(*registered));
  return schema.get();
}

Result<std::string_view> RegistryCodec::decode(std::string_view value) {
  const auto wire = from_wire(value);
  if (!wire) return fail(Errc::invalid_argument, "the value does not begin with the id of a schema");
  PG_ASSIGN(const Schema* schema, schema_of(wire->schema_id));
  auto json = schema->decode(wire->payload);
  if (!json) {
    Error error = std::move(json.error());
    if (error.code == Errc::corrupt) error.code = Errc::invalid_argument;  // the log has what was written
    return not_of_schema(wire->schema_id, std::move(error));
  }
  value_ = std::move(*json);
  return value_;
}

}  // namespace

Result<std::unique_ptr<ValueCodec>> make_value_codec(Cluster& cluster, const ValueCodecOptions& options,
                                                     const ProgramRun&) {
  auto* local = dynamic_cast<LocalCluster*>(&cluster);
  if (local == nullptr) return fail(Errc::unsupported_version, fmt::format("'{}' has no schemas", cluster.location()));
  PG_ASSIGN(auto registry, Registry::open(local->home(), options.deadline));
  auto codec = std::make_unique<RegistryCodec>(std::move(registry), options);
  PG_CHECK(codec->open());
  return codec;
}

}  // namespace pg
