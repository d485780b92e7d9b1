// Registry::check: whether a schema may follow those that a subject has.
#include <fmt/format.h>

#include "core/schema/registry.h"

namespace pg {
namespace {

using Level = CompatibilityLevel;

bool is_transitive(Level level) {
  return level == Level::backward_transitive || level == Level::forward_transitive || level == Level::full_transitive;
}
bool reads_old(Level level) {
  return level == Level::backward || level == Level::backward_transitive || level == Level::full ||
         level == Level::full_transitive;
}
bool is_read_by_old(Level level) {
  return level == Level::forward || level == Level::forward_transitive || level == Level::full ||
         level == Level::full_transitive;
}

// The schemas were not compared, so they are not incompatible. Clients get invalid_schema: the schema is too large.
RegistryError not_compared(const RegisteredSchema& old, Error error) {
  RegistryError refused(RegistryCode::invalid_schema,
                        fmt::format("{}: version {} of subject '{}'", error.what, old.version, old.subject));
  refused.error.code = error.code;
  return refused;
}

}  // namespace

RegistryResult<std::vector<Incompatibility>> Registry::compare_with(const RegisteredSchema& old, const Schema& schema,
                                                                    Level level, CompatibilityPolicy policy) {
  if (level == Level::none) return std::vector<Incompatibility>();
  if (old.type != schema.type()) {
    return std::vector<Incompatibility>{
        {"SCHEMA_TYPE_CHANGED", "/",
         fmt::format("version {} of subject '{}' is of type {}, this schema of type {}", old.version, old.subject,
                     schema_type_name(old.type), schema_type_name(schema.type()))}};
  }
  PG_ASSIGN(const auto before, parsed(old));
  std::vector<Incompatibility> found;
  const auto add = [&](Result<std::vector<Incompatibility>> reasons, const char* direction) -> RegistryResult<> {
    if (!reasons) return tl::unexpected(not_compared(old, std::move(reasons).error()));
    for (auto& reason : *reasons) {
      reason.message = fmt::format("{} (version {}, {})", reason.message, old.version, direction);
      found.push_back(std::move(reason));
    }
    return {};
  };
  if (reads_old(level)) PG_CHECK(add(schema.cannot_read(*before, policy), "read by the new schema"));
  if (is_read_by_old(level)) PG_CHECK(add(before->cannot_read(schema, policy), "reading the new schema"));
  return found;
}

// Newest first; the first version that it does not fit is enough.
RegistryResult<std::vector<Incompatibility>> Registry::compare(const std::string& subject, const Schema& schema,
                                                               CompatibilityPolicy policy) {
  const Level level = level_of(subject);
  if (level == Level::none) return std::vector<Incompatibility>();
  const auto versions = view_.versions(subject, false);
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    PG_ASSIGN(const auto old, find(subject, *version, Deleted::no));
    PG_ASSIGN(auto found, compare_with(old, schema, level, policy));
    if (!found.empty() || !is_transitive(level)) return found;
  }
  return std::vector<Incompatibility>();
}

RegistryResult<SchemaText> Registry::normalized(const std::string& subject, const SchemaText& schema) {
  PG_ASSIGN(const auto given, parse(schema));
  return ask([&]() -> RegistryResult<SchemaText> {
    SchemaText normal{schema.type, given->normal()};
    const auto versions = view_.versions(subject, true);
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
      PG_ASSIGN(const auto old, find(subject, *version, Deleted::too));
      if (old.type != schema.type) continue;
      const auto before = parsed(old);
      if (before && (*before)->normal() == normal.text) return SchemaText{old.type, old.text};
    }
    return normal;
  });
}

RegistryResult<std::vector<Incompatibility>> Registry::check(const std::string& subject, std::optional<int32_t> version,
                                                             const SchemaText& schema, CompatibilityPolicy policy) {
  PG_ASSIGN(const auto candidate, parse(schema));
  return ask([&]() -> RegistryResult<std::vector<Incompatibility>> {
    if (!version) return compare(subject, *candidate, policy);
    PG_ASSIGN(const auto old, find(subject, version, Deleted::no));
    return compare_with(old, *candidate, level_of(subject), policy);
  });
}

}  // namespace pg
