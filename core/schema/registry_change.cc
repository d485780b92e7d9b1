// What changes a registry. Each change is a few rows, decided on those that are there.
#include <fmt/format.h>

#include <algorithm>

#include "core/schema/registry.h"

namespace pg {
namespace {

using Kind = RegistryKey::Kind;
using Rows = std::vector<TableRow>;

// Tombstones in one batch: they take a hundred bytes each, or what the subject's name takes.
constexpr size_t kTombstonesMax = 1000;

std::string schema_key(const std::string& subject, int32_t version) {
  return write_registry_key({Kind::schema, subject, version});
}

}  // namespace

RegistryResult<RegisteredSchema> Registry::register_schema(const std::string& subject, const SchemaText& schema,
                                                           CompatibilityPolicy policy, Deadline deadline) {
  PG_CHECK(check_subject(subject));
  PG_ASSIGN(const auto candidate, parse(schema));
  RegisteredSchema result;
  const auto decide = [&]() -> RegistryResult<Rows> {
    if (auto there = same_schema(subject, *candidate, Deleted::no)) {
      result = std::move(*there);
      return Rows();
    }
    PG_CHECK(check_permitted(subject));
    PG_ASSIGN(auto reasons, compare(subject, *candidate, policy));
    if (!reasons.empty()) {
      RegistryError refused(RegistryCode::incompatible,
                            fmt::format("the schema is incompatible with subject '{}', whose level is {}", subject,
                                        level_name(level_of(subject))));
      refused.incompatible = std::move(reasons);
      return tl::unexpected(std::move(refused));
    }
    const auto versions = view_.versions(subject, true);
    const int32_t id = view_.id_of(candidate->type(), candidate->canonical()).value_or(view_.greatest_id() + 1);
    const int32_t version = versions.empty() ? 1 : versions.back() + 1;
    SchemaRow row{id, candidate->type(), candidate->canonical()};
    Rows rows = {{schema_key(subject, version), write_schema_row(subject, version, row)}};
    result = {subject, version, id, *row.type, std::move(row.text)};
    return rows;
  };
  PG_CHECK(change(decide, deadline));
  return result;
}

RegistryResult<std::vector<int32_t>> Registry::delete_subject(const std::string& subject, bool permanent,
                                                              Deadline deadline) {
  std::vector<int32_t> deleted;
  const auto softly = [&]() -> RegistryResult<Rows> {
    deleted = view_.versions(subject, false);
    if (deleted.empty()) {
      PG_CHECK(versions(subject, Deleted::too));
      return refuse(RegistryCode::subject_deleted, fmt::format("subject '{}' is deleted already, softly", subject));
    }
    PG_CHECK(check_permitted(subject));
    Rows rows = {
        {write_registry_key({Kind::delete_subject, subject}), write_delete_subject_row(subject, deleted.back())}};
    // As in Confluent's registry, its settings go with it.
    if (view_.level(subject)) rows.push_back({write_registry_key({Kind::config, subject}), std::nullopt});
    if (view_.mode(subject)) rows.push_back({write_registry_key({Kind::mode, subject}), std::nullopt});
    return rows;
  };
  if (permanent) return forget_subject(subject, deadline);
  PG_CHECK(change(softly, deadline));
  return deleted;
}

RegistryResult<std::vector<int32_t>> Registry::forget_subject(const std::string& subject, Deadline deadline) {
  std::vector<int32_t> deleted;
  bool is_last = false;
  const auto some = [&]() -> RegistryResult<Rows> {
    PG_ASSIGN(const auto there, versions(subject, Deleted::too));
    if (!view_.versions(subject, false).empty()) {
      return refuse(
          RegistryCode::subject_not_soft_deleted,
          fmt::format("subject '{}' is not deleted yet: for good goes only what was deleted softly", subject));
    }
    PG_CHECK(check_permitted(subject));
    is_last = there.size() <= kTombstonesMax;
    Rows rows = {{write_registry_key({}), write_greatest_id_row(view_.greatest_id())}};
    for (size_t i = 0; i < std::min(there.size(), kTombstonesMax); ++i)
      rows.push_back({schema_key(subject, there[i]), std::nullopt});
    if (is_last) rows.push_back({write_registry_key({Kind::delete_subject, subject}), std::nullopt});
    if (deleted.empty()) deleted = there;
    return rows;
  };
  while (!is_last) PG_CHECK(change(some, deadline));
  return deleted;
}

RegistryResult<int32_t> Registry::delete_version(const std::string& subject, std::optional<int32_t> version,
                                                 bool permanent, Deadline deadline) {
  int32_t deleted = 0;
  const auto decide = [&]() -> RegistryResult<Rows> {
    PG_ASSIGN(const auto there, versions(subject, Deleted::too));
    const auto live = view_.versions(subject, false);
    if (!version && live.empty())
      return refuse(RegistryCode::subject_not_found,
                    fmt::format("subject '{}' has no version that is not deleted", subject));
    deleted = version.value_or(live.empty() ? 0 : live.back());
    if (!std::ranges::binary_search(there, deleted)) {
      return refuse(RegistryCode::version_not_found, fmt::format("subject '{}' has no version {}", subject, deleted));
    }
    const bool is_live = std::ranges::binary_search(live, deleted);
    if (permanent && is_live) {
      return refuse(
          RegistryCode::version_not_soft_deleted,
          fmt::format("version {} of subject '{}' is not deleted yet: for good goes only what was deleted softly",
                      deleted, subject));
    }
    if (!permanent && !is_live) {
      return refuse(RegistryCode::version_deleted,
                    fmt::format("version {} of subject '{}' is deleted already, softly", deleted, subject));
    }
    PG_CHECK(check_permitted(subject));
    if (permanent)
      return Rows{{write_registry_key({}), write_greatest_id_row(view_.greatest_id())},
                  {schema_key(subject, deleted), std::nullopt}};
    return Rows{{schema_key(subject, deleted), view_.deleted_row({subject, deleted})}};
  };
  PG_CHECK(change(decide, deadline));
  return deleted;
}

RegistryResult<std::optional<CompatibilityLevel>> Registry::set_level(const std::optional<std::string>& subject,
                                                                      std::optional<CompatibilityLevel> level,
                                                                      Deadline deadline) {
  if (subject) PG_CHECK(check_subject(*subject));
  std::optional<CompatibilityLevel> before;
  const auto decide = [&]() -> RegistryResult<Rows> {
    before = view_.level(subject);
    PG_CHECK(check_permitted(subject));
    if (subject && !level && !before)
      return refuse(RegistryCode::no_subject_level, fmt::format("subject '{}' has no level of its own", *subject));
    if (before == level) return Rows();
    return Rows{
        {write_registry_key({Kind::config, subject}), level ? std::optional(write_config_row(*level)) : std::nullopt}};
  };
  PG_CHECK(change(decide, deadline));
  return before;
}

// Also where writing is forbidden: how else should it be allowed again?
RegistryResult<std::optional<RegistryMode>> Registry::set_mode(const std::optional<std::string>& subject,
                                                               std::optional<RegistryMode> mode, Deadline deadline) {
  if (subject) PG_CHECK(check_subject(*subject));
  std::optional<RegistryMode> before;
  const auto decide = [&]() -> RegistryResult<Rows> {
    before = view_.mode(subject);
    if (subject && !mode && !before)
      return refuse(RegistryCode::no_subject_mode, fmt::format("subject '{}' has no mode of its own", *subject));
    if (before == mode) return Rows();
    return Rows{
        {write_registry_key({Kind::mode, subject}), mode ? std::optional(write_mode_row(*mode)) : std::nullopt}};
  };
  PG_CHECK(change(decide, deadline));
  return before;
}

}  // namespace pg
