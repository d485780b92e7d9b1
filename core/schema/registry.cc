#include "core/schema/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/os/signals.h"
#include "core/schema/registry_index.h"

namespace pg {
namespace {

// A process that has read so many bytes beyond the index writes a new one: some sixty schemas.
constexpr size_t kUnindexedBytesMax = 32 << 10;

tl::unexpected<RegistryError> no_subject(const std::string& subject) {
  return refuse(RegistryCode::subject_not_found, fmt::format("no such subject '{}'", subject));
}

tl::unexpected<RegistryError> no_version(const std::string& subject, int32_t version) {
  return refuse(RegistryCode::version_not_found, fmt::format("subject '{}' has no version {}", subject, version));
}

tl::unexpected<RegistryError> no_id(int32_t id) {
  return refuse(RegistryCode::schema_not_found, fmt::format("no schema has the id {}", id));
}

RegisteredSchema registered(const SubjectVersion& version, SchemaRow row) {
  return {version.subject, version.version,          row.id, row.type.value_or(SchemaType::avro), std::move(row.text),
          row.deleted,     std::move(row.references)};
}

}  // namespace

RegistryResult<> check_subject(std::string_view subject) {
  const auto refused = [&](const char* why) {
    return refuse(RegistryCode::invalid_subject, fmt::format("a subject's name {}", why));
  };
  if (subject.empty()) return refused("is not empty");
  if (subject.size() > kSubjectBytesMax) return refused(fmt::format("has at most {} bytes", kSubjectBytesMax).c_str());
  if (!is_utf8(subject)) return refused("is UTF-8");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(subject, is_control)) return refused("has no control characters");
  return {};
}

Result<Registry> Registry::open(Home& home, Deadline deadline, Parser parser) {
  Registry registry(home, parser);
  PG_CHECK(registry.open_table(false, deadline));
  PG_CHECK(registry.catch_up(deadline));
  return registry;
}

Result<> Registry::open_table(bool make, Deadline deadline) {
  if (table_) return {};
  if (!make) {
    const auto topic = home_->describe_topic(kSchemasTable);
    if (!topic && topic.error().code == Errc::not_found) return {};
    PG_CHECK(topic);
  }
  PG_ASSIGN(LogTable opened, LogTable::open(*home_, kSchemasTable, deadline));
  table_.emplace(std::move(opened));
  return {};
}

Result<> Registry::catch_up(Deadline deadline) {
  auto done = try_catch_up(deadline);
  if (done || !table_ || done.error().code != Errc::not_found) return done;
  // The topic was deleted, and perhaps made again.
  table_.reset();
  begin_view(nullptr);
  begun_ = false;
  return try_catch_up(deadline);
}

Result<> Registry::try_catch_up(Deadline deadline) {
  PG_CHECK(open_table(false, deadline));
  if (!table_) return {};
  if (!begun_ || table_->has_fallen_behind())
    PG_CHECK(begin_reading(true, deadline));
  else
    PG_CHECK(read_new(deadline));
  return view_.is_damaged() ? begin_reading(false, deadline) : Result<>();
}

Result<> Registry::begin_reading(bool with_index, Deadline deadline) {
  auto index = with_index ? open_registry_index(*home_) : std::nullopt;
  if (index && !table_->resume(index->place, deadline)) index.reset();
  if (!index) table_->restart();
  begin_view(index ? std::move(index->rows) : nullptr);
  begun_ = false;
  PG_CHECK(read_new(deadline));
  begun_ = true;
  return {};
}

void Registry::begin_view(std::shared_ptr<const SortedFile> base) {
  view_ = RegistryView(std::move(base));
  parsed_.clear();
  unindexed_bytes_ = 0;
  ++views_;
}

Result<> Registry::read_new(Deadline deadline) {
  const auto take = [this](std::string_view key, std::optional<std::string_view> value) -> Result<> {
    view_.take_in(key, value);
    unindexed_bytes_ += key.size() + (value ? value->size() : 0);
    return {};
  };
  PG_CHECK(table_->catch_up(
      take, [this] { begin_view(nullptr); }, deadline));
  if (unindexed_bytes_ <= kUnindexedBytesMax || view_.is_damaged()) return {};
  const auto place = table_->place();
  if (!place || !*place) return {};
  write_registry_index(*home_, **place, view_);
  unindexed_bytes_ = 0;
  return {};
}

Result<> Registry::flush(Deadline deadline) { return table_ ? table_->flush(deadline) : Result<>(); }

RegistryResult<> Registry::change(const Decide& decide, Deadline deadline) {
  for (;;) {
    PG_CHECK(catch_up(deadline));
    PG_ASSIGN(const auto rows, ask(decide));
    if (rows.empty()) break;
    if (!table_) {
      PG_CHECK(open_table(true, deadline));
      continue;
    }
    PG_ASSIGN(const bool appended, table_->append(rows, deadline));
    PG_CHECK(catch_up(deadline));
    if (appended) break;
    if (env_.clock.now() >= deadline)
      return fail(Errc::timed_out, "other schemas are registered all the time, and were always first");
    if (stop_is_overdue()) return fail(Errc::interrupted, "interrupted while others were first");
  }
  PG_CHECK(flush(deadline));
  return {};
}

RegistryResult<std::vector<std::string>> Registry::subjects(const std::string& prefix, Deleted deleted) {
  return ask(
      [&]() -> RegistryResult<std::vector<std::string>> { return view_.subjects(prefix, deleted == Deleted::too); });
}

RegistryResult<std::vector<int32_t>> Registry::versions(const std::string& subject, Deleted deleted) {
  return ask([&]() -> RegistryResult<std::vector<int32_t>> {
    auto found = view_.versions(subject, deleted == Deleted::too);
    if (found.empty()) return no_subject(subject);
    return found;
  });
}

RegistryResult<RegisteredSchema> Registry::find(const std::string& subject, std::optional<int32_t> version,
                                                Deleted deleted) {
  return ask([&]() -> RegistryResult<RegisteredSchema> {
    const auto there = view_.versions(subject, deleted == Deleted::too);
    if (there.empty()) return no_subject(subject);
    const SubjectVersion wanted{subject, version.value_or(there.back())};
    if (!std::ranges::binary_search(there, wanted.version)) return no_version(subject, wanted.version);
    auto row = view_.find(wanted);
    if (!row || !row->type) {
      return refuse(RegistryCode::invalid_schema,
                    fmt::format("version {} of subject '{}' has a type that this program does not know", wanted.version,
                                subject));
    }
    return registered(wanted, std::move(*row));
  });
}

RegistryResult<RegisteredSchema> Registry::find_id(int32_t id) {
  return ask([&]() -> RegistryResult<RegisteredSchema> {
    std::optional<RegisteredSchema> found;
    for (const auto& version : view_.with_id(id)) {
      auto row = view_.find(version);
      if (!row || !row->type) continue;
      found = registered(version, std::move(*row));
      if (!found->deleted) break;
    }
    if (!found) return no_id(id);
    return std::move(*found);
  });
}

RegistryResult<std::vector<SubjectVersion>> Registry::versions_of_id(int32_t id, Deleted deleted) {
  return ask([&]() -> RegistryResult<std::vector<SubjectVersion>> {
    auto found = view_.with_id(id);
    if (found.empty()) return no_id(id);
    std::erase_if(found, [&](const auto& version) {
      const auto row = view_.find(version);
      return !row || (row->deleted && deleted == Deleted::no);
    });
    return found;
  });
}

RegistryResult<std::unique_ptr<Schema>> Registry::parse(const SchemaText& schema) const {
  auto parsed = parser_(schema.type, schema.text);
  if (!parsed) return refuse(RegistryCode::invalid_schema, parsed.error().message());
  // A row is JSON.
  if (!is_utf8((*parsed)->canonical())) return refuse(RegistryCode::invalid_schema, "a schema is UTF-8");
  return std::move(*parsed);
}

RegistryResult<std::shared_ptr<const Schema>> Registry::parsed(const RegisteredSchema& schema) {
  auto& kept = parsed_[schema.id];
  if (kept) return kept;
  const auto explain = [&](const std::string& why) {
    return refuse(RegistryCode::invalid_schema,
                  fmt::format("version {} of subject '{}' cannot be used: {}", schema.version, schema.subject, why));
  };
  if (!schema.references.empty()) return explain("it refers to other schemas, which is not supported");
  auto parsed = parser_(schema.type, schema.text);
  if (!parsed) return explain(parsed.error().message());
  kept = std::move(*parsed);
  return kept;
}

// By what they come to, so that a text that another registry has written differently is recognised, too.
std::optional<RegisteredSchema> Registry::same_schema(const std::string& subject, const Schema& schema,
                                                      Deleted deleted) {
  auto versions = view_.versions(subject, deleted == Deleted::too);
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    auto old = find(subject, *version, deleted);
    if (!old || old->type != schema.type() || !old->references.empty()) continue;
    if (old->text == schema.canonical()) return std::move(*old);
    const auto known = parsed(*old);
    if (known && (*known)->canonical() == schema.canonical()) return std::move(*old);
  }
  return std::nullopt;
}

RegistryResult<RegisteredSchema> Registry::lookup(const std::string& subject, const SchemaText& schema,
                                                  Deleted deleted) {
  PG_CHECK(versions(subject, deleted));
  PG_ASSIGN(const auto wanted, parse(schema));
  return ask([&]() -> RegistryResult<RegisteredSchema> {
    auto found = same_schema(subject, *wanted, deleted);
    if (!found)
      return refuse(RegistryCode::schema_not_found, fmt::format("subject '{}' does not have this schema", subject));
    return std::move(*found);
  });
}

RegistryResult<std::vector<int32_t>> Registry::referenced_by(const std::string& subject,
                                                             std::optional<int32_t> version) {
  PG_CHECK(find(subject, version, Deleted::too));
  return std::vector<int32_t>();  // no schema that refers to others is taken
}

RegistryResult<std::optional<CompatibilityLevel>> Registry::own_level(const std::optional<std::string>& subject) {
  return ask([&]() -> RegistryResult<std::optional<CompatibilityLevel>> { return view_.level(subject); });
}

RegistryResult<std::optional<RegistryMode>> Registry::own_mode(const std::optional<std::string>& subject) {
  return ask([&]() -> RegistryResult<std::optional<RegistryMode>> { return view_.mode(subject); });
}

RegistryResult<Setting<CompatibilityLevel>> Registry::level(const std::optional<std::string>& subject) {
  PG_ASSIGN(const auto own, own_level(subject));
  PG_ASSIGN(const auto of_all, own_level({}));
  return Setting<CompatibilityLevel>{own ? *own : of_all.value_or(kCompatibilityLevelDefault), subject && !own};
}

RegistryResult<Setting<RegistryMode>> Registry::mode(const std::optional<std::string>& subject) {
  PG_ASSIGN(const auto own, own_mode(subject));
  PG_ASSIGN(const auto of_all, own_mode({}));
  return Setting<RegistryMode>{own ? *own : of_all.value_or(RegistryMode::readwrite), subject && !own};
}

CompatibilityLevel Registry::level_of(const std::string& subject) const {
  const auto own = view_.level(subject);
  return own ? *own : view_.level({}).value_or(kCompatibilityLevelDefault);
}

RegistryResult<> Registry::check_permitted(const std::optional<std::string>& subject) {
  PG_ASSIGN(const auto in_force, mode(subject));
  if (in_force.value == RegistryMode::readwrite) return {};
  return refuse(RegistryCode::not_permitted, !subject || in_force.inherited
                                                 ? "the registry is in mode READONLY"
                                                 : fmt::format("subject '{}' is in mode READONLY", *subject));
}

}  // namespace pg
