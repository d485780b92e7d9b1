#include "core/schema/rest_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "core/base/text.h"
#include "core/schema/bounded_json.h"
#include "core/schema/rest_target.h"

namespace pg {
namespace {

struct RestError {
  int code = 0;
  std::string message;

  RestError(int of, std::string what) : code(of), message(std::move(what)) {}
  RestError(const RegistryError& refused) : code(static_cast<int>(refused.code)), message(refused.error.message()) {
    const char* separator = ": ";
    for (const auto& each : refused.incompatible) {
      message += fmt::format("{}{} at {}: {}", separator, each.kind, each.path, each.message);
      separator = "; ";
    }
  }
  RestError(const Error& failed) : RestError(RegistryError(failed)) {}
};

template <class T>
using Answer = tl::expected<T, RestError>;

// With a plain status of HTTP; refuse() has the registry's codes.
tl::unexpected<RestError> refuse_plainly(int status, std::string message) {
  return tl::unexpected(RestError(status, std::move(message)));
}

// A request that has found its route.
struct Call {
  Registry& registry;
  CompatibilityPolicy policy;
  Deadline deadline;
  const RestTarget& target;
  std::string_view body;
  std::string subject = {};  // what the path has for {subject}, {version} and {id}
  std::string version = {};
  std::string id = {};

  Deleted deleted() const { return target.flag("deleted") || deleted_only() ? Deleted::too : Deleted::no; }
  bool deleted_only() const { return target.flag("deletedOnly"); }
  // A parameter's value; empty: it was not given.
  std::string parameter(const char* name) const;
  // The part of a list that "offset" and "limit" ask for.
  Answer<Json> page_of(Json list) const;
  std::optional<std::string> subject_or_all() const { return subject.empty() ? std::nullopt : std::optional(subject); }
  // None: the latest.
  RegistryResult<std::optional<int32_t>> version_number() const;
  RegistryResult<int32_t> id_number() const;
  Answer<Json> json_body() const;
  // "normalize" is obeyed.
  Answer<SchemaText> schema_body() const;
  // The text of a schema in the form that "format" asks for.
  Answer<std::string> formatted(const RegisteredSchema& schema) const;
};

std::optional<int32_t> parse_positive(std::string_view text) {
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(*number);
}

RegistryResult<std::optional<int32_t>> Call::version_number() const {
  if (version == "latest" || version == "-1") return std::optional<int32_t>();
  if (const auto number = parse_positive(version)) return number;
  return refuse(RegistryCode::invalid_version,
                fmt::format("'{}' is not a version: a number from 1 to 2147483647, or 'latest'", version));
}

RegistryResult<int32_t> Call::id_number() const {
  if (const auto number = parse_positive(id)) return *number;
  return refuse(RegistryCode::schema_not_found, fmt::format("no schema has the id '{}'", id));
}

Answer<Json> Call::json_body() const {
  auto json = parse_bounded_json(body);
  if (!json) return refuse_plainly(400, "the body is not JSON: " + json.error().message());
  if (!json->is_object()) return refuse_plainly(400, "the body is not a JSON object");
  return std::move(*json);
}

// A string member; none: it is missing or null.
Answer<std::optional<std::string>> text_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || member->is_null()) return std::optional<std::string>();
  if (!member->is_string()) return refuse_plainly(400, fmt::format("\"{}\" is not a string", name));
  return std::optional(member->get<std::string>());
}

// What would be lost if the schema was taken without it.
Answer<void> check_nothing_more(const Json& object) {
  for (const char* name : {"references", "metadata", "ruleSet"}) {
    const auto member = object.find(name);
    if (member == object.end() || member->empty()) continue;
    return refuse(RegistryCode::invalid_schema,
                  std::string_view(name) == "references"
                      ? "schemas that refer to other schemas (\"references\") are not supported"
                      : fmt::format("\"{}\" of a schema is not supported", name));
  }
  for (const char* name : {"id", "version"}) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number() || *member <= 0) continue;
    return refuse(RegistryCode::not_permitted,
                  fmt::format("the registry gives out each \"{}\" itself: there is no mode IMPORT", name));
  }
  return {};
}

Answer<SchemaText> Call::schema_body() const {
  PG_ASSIGN(const auto json, json_body());
  PG_ASSIGN(auto text, text_member(json, "schema"));
  PG_ASSIGN(const auto type_name, text_member(json, "schemaType"));
  if (!text || text->empty()) return refuse(RegistryCode::invalid_schema, "there is no \"schema\"");
  const auto type = type_name ? parse_schema_type(*type_name) : SchemaType::avro;
  if (!type)
    return refuse(RegistryCode::invalid_schema,
                  fmt::format("schemaType '{}' is not AVRO, JSON or PROTOBUF", *type_name));
  PG_CHECK(check_nothing_more(json));
  const SchemaText schema{*type, std::move(*text)};
  if (!target.flag("normalize")) return schema;
  PG_ASSIGN(auto normal, registry.normalized(subject, schema));
  return normal;
}

std::string Call::parameter(const char* name) const {
  const auto given = target.query.find(name);
  return given == target.query.end() ? "" : given->second;
}

Answer<Json> Call::page_of(Json list) const {
  const auto number = [&](const char* name, int64_t otherwise) -> Answer<int64_t> {
    const std::string text = parameter(name);
    const auto value = text.empty() ? std::optional(otherwise) : parse_integer(text);
    if (!value || *value < otherwise)
      return refuse_plainly(400, fmt::format("{}={} is not a number of at least {}", name, text, otherwise));
    return *value;
  };
  PG_ASSIGN(const int64_t offset, number("offset", 0));
  PG_ASSIGN(const int64_t limit, number("limit", -1));  // all
  Json page = Json::array();
  for (size_t i = 0; i < list.size(); ++i) {
    if (std::cmp_less(i, offset) || (limit >= 0 && std::cmp_greater_equal(page.size(), limit))) continue;
    page.push_back(std::move(list[i]));
  }
  return page;
}

Answer<std::string> Call::formatted(const RegisteredSchema& schema) const {
  const std::string format = parameter("format");
  // "resolved" fills in what other schemas say, of which there are none here.
  if (format.empty() || format == "default" || (format == "resolved" && schema.type != SchemaType::protobuf))
    return schema.text;
  if (format != "serialized")
    return refuse_plainly(400, fmt::format("format={} is not supported for {}", format, schema_type_name(schema.type)));
  if (schema.type != SchemaType::protobuf) return schema.text;
  PG_ASSIGN(const auto parsed, registry.parsed(schema));
  return parsed->serialized();
}

// The members that say what a schema is, as Confluent's registry writes them: AVRO goes without saying.
Answer<void> add_schema(Json& object, const RegisteredSchema& schema, const Call& call) {
  if (schema.type != SchemaType::avro) object["schemaType"] = schema_type_name(schema.type);
  if (!schema.references.empty()) {
    if (auto references = parse_bounded_json(schema.references)) object["references"] = std::move(*references);
  }
  PG_ASSIGN(object["schema"], call.formatted(schema));
  return {};
}

Answer<std::string> json_of(const RegisteredSchema& schema, const Call& call) {
  Json object = {{"subject", schema.subject}, {"version", schema.version}, {"id", schema.id}};
  PG_CHECK(add_schema(object, schema, call));
  return to_one_line(object);
}

std::string text_of(const Incompatibility& each) {
  return fmt::format("{} at {}: {}", each.kind, each.path, each.message);
}

using Body = Answer<std::string>;

Body root(Call&) { return "{}"; }
Body schema_types(Call&) { return R"(["JSON","PROTOBUF","AVRO"])"; }

// Those that are deleted softly.
std::vector<int32_t> deleted_versions(Registry& registry, const std::string& subject) {
  auto versions = registry.versions(subject, Deleted::too).value_or(std::vector<int32_t>());
  const auto living =
      registry.versions(subject, Deleted::no).value_or(std::vector<int32_t>());  // none: all are deleted
  std::erase_if(versions, [&](int32_t version) { return std::ranges::count(living, version) > 0; });
  return versions;
}

Body list_subjects(Call& call) {
  const auto given = call.target.query.find("subjectPrefix");
  // ":*:" is a prefix of everything for Confluent's registry, in all of its contexts.
  const std::string prefix = given == call.target.query.end() || given->second == ":*:" ? "" : given->second;
  PG_ASSIGN(auto subjects, call.registry.subjects(prefix, call.deleted()));
  if (call.deleted_only()) {
    std::erase_if(subjects,
                  [&](const std::string& subject) { return deleted_versions(call.registry, subject).empty(); });
  }
  PG_ASSIGN(const auto page, call.page_of(Json(subjects)));
  return to_one_line(page);
}

Body delete_subject(Call& call) {
  PG_ASSIGN(const auto versions,
            call.registry.delete_subject(call.subject, call.target.flag("permanent"), call.deadline));
  return to_one_line(Json(versions));
}

Body look_up(Call& call) {
  PG_ASSIGN(const auto schema, call.schema_body());
  PG_ASSIGN(const auto found, call.registry.lookup(call.subject, schema, call.deleted()));
  return json_of(found, call);
}

Body list_versions(Call& call) {
  PG_ASSIGN(auto versions, call.registry.versions(call.subject, call.deleted()));
  if (call.deleted_only()) versions = deleted_versions(call.registry, call.subject);
  if (versions.empty())
    return refuse(RegistryCode::subject_not_found, fmt::format("no version of subject '{}' is deleted", call.subject));
  PG_ASSIGN(const auto page, call.page_of(Json(versions)));
  return to_one_line(page);
}

Body register_schema(Call& call) {
  PG_ASSIGN(const auto schema, call.schema_body());
  PG_ASSIGN(const auto done, call.registry.register_schema(call.subject, schema, call.policy, call.deadline));
  return to_one_line({{"id", done.id}});
}

RegistryResult<RegisteredSchema> find_version(Call& call) {
  PG_ASSIGN(const auto version, call.version_number());
  return call.registry.find(call.subject, version, call.deleted());
}

Body get_version(Call& call) {
  PG_ASSIGN(const auto found, find_version(call));
  return json_of(found, call);
}

// The text itself, with no quotes around it.
Body get_version_text(Call& call) {
  PG_ASSIGN(const auto found, find_version(call));
  return call.formatted(found);
}

Body delete_version(Call& call) {
  PG_ASSIGN(const auto version, call.version_number());
  PG_ASSIGN(const int32_t deleted,
            call.registry.delete_version(call.subject, version, call.target.flag("permanent"), call.deadline));
  return std::to_string(deleted);
}

Body referenced_by(Call& call) {
  PG_ASSIGN(const auto version, call.version_number());
  PG_ASSIGN(const auto ids, call.registry.referenced_by(call.subject, version));
  PG_ASSIGN(const auto page, call.page_of(Json(ids)));
  return to_one_line(page);
}

RegistryResult<RegisteredSchema> find_id(Call& call) {
  PG_ASSIGN(const int32_t id, call.id_number());
  return call.registry.find_id(id);
}

Body get_id(Call& call) {
  PG_ASSIGN(const auto found, find_id(call));
  Json object = Json::object();
  PG_CHECK(add_schema(object, found, call));
  return to_one_line(object);
}

Body get_id_text(Call& call) {
  PG_ASSIGN(const auto found, find_id(call));
  return call.formatted(found);
}

RegistryResult<std::vector<SubjectVersion>> versions_of_id(Call& call) {
  PG_ASSIGN(const int32_t id, call.id_number());
  PG_ASSIGN(auto versions, call.registry.versions_of_id(id, call.deleted()));
  if (!call.deleted_only()) return versions;
  const auto living = call.registry.versions_of_id(id, Deleted::no);  // an error: there are none
  if (living)
    std::erase_if(versions, [&](const auto& each) { return std::ranges::find(*living, each) != living->end(); });
  return versions;
}

Body get_id_versions(Call& call) {
  PG_ASSIGN(const auto versions, versions_of_id(call));
  Json list = Json::array();
  for (const auto& each : versions) list.push_back({{"subject", each.subject}, {"version", each.version}});
  PG_ASSIGN(const auto page, call.page_of(std::move(list)));
  return to_one_line(page);
}

Body get_id_subjects(Call& call) {
  PG_ASSIGN(const auto versions, versions_of_id(call));
  std::vector<std::string> subjects;
  for (const auto& each : versions) subjects.push_back(each.subject);
  std::ranges::sort(subjects);
  subjects.erase(std::ranges::unique(subjects).begin(), subjects.end());
  PG_ASSIGN(const auto page, call.page_of(Json(subjects)));
  return to_one_line(page);
}

Body say_compatible(const Call& call, const std::vector<Incompatibility>& found) {
  Json object = {{"is_compatible", found.empty()}};
  if (call.target.flag("verbose")) {
    Json messages = Json::array();
    for (const auto& each : found) messages.push_back(text_of(each));
    object["messages"] = std::move(messages);
  }
  return to_one_line(object);
}

// With all versions that the level is about.
Body check_by_level(Call& call) {
  PG_ASSIGN(const auto schema, call.schema_body());
  PG_ASSIGN(const auto found, call.registry.check(call.subject, {}, schema, call.policy));
  return say_compatible(call, found);
}

// With one version alone. Where there is none yet, anything may be the first; another one that is not there has the
// code of a version, also where the subject is not there.
Body check_with_version(Call& call) {
  PG_ASSIGN(const auto schema, call.schema_body());
  PG_ASSIGN(const auto version, call.version_number());
  const auto there = call.registry.find(call.subject, version, Deleted::no);
  if (!there && http_status(there.error().code) == 404 && version) {
    return refuse(RegistryCode::version_not_found, there.error().error.message());
  }
  if (!there && http_status(there.error().code) == 404) return check_by_level(call);
  PG_CHECK(there);
  PG_ASSIGN(const auto found, call.registry.check(call.subject, there->version, schema, call.policy));
  return say_compatible(call, found);
}

// What /config and /mode differ in.
template <class Value>
struct RestSetting {
  const char* get_word;  // the member of an answer
  const char* put_word;  // the member of what is set
  RegistryCode unset;
  RegistryCode invalid;
  std::optional<Value> (*parse)(std::string_view);
  std::string_view (*name)(Value);
  RegistryResult<std::optional<Value>> (Registry::*own)(const std::optional<std::string>& subject);
  RegistryResult<Setting<Value>> (Registry::*in_force)(const std::optional<std::string>& subject);
  RegistryResult<std::optional<Value>> (Registry::*set)(const std::optional<std::string>& subject,
                                                        std::optional<Value> value, Deadline deadline);
};

constexpr RestSetting<CompatibilityLevel> kConfig = {
    "compatibilityLevel",        "compatibility",  RegistryCode::no_subject_level,
    RegistryCode::invalid_level, parse_level,      level_name,
    &Registry::own_level,        &Registry::level, &Registry::set_level};
constexpr RestSetting<RegistryMode> kMode = {"mode",
                                             "mode",
                                             RegistryCode::no_subject_mode,
                                             RegistryCode::invalid_mode,
                                             parse_mode,
                                             mode_name,
                                             &Registry::own_mode,
                                             &Registry::mode,
                                             &Registry::set_mode};

template <const auto& setting>
Body get_setting(Call& call) {
  const auto subject = call.subject_or_all();
  // Clients tell a subject that they register first by its having no level of its own.
  PG_ASSIGN(const auto own, (call.registry.*setting.own)(subject));
  if (!own && subject && !call.target.flag("defaultToGlobal")) {
    return refuse(setting.unset, fmt::format("subject '{}' has no {} of its own", *subject, setting.get_word));
  }
  PG_ASSIGN(const auto in_force, (call.registry.*setting.in_force)(subject));
  return to_one_line({{setting.get_word, setting.name(in_force.value)}});
}

// Refuses settings that are not supported, since clients would believe that they hold. A null, false or empty value
// asks for nothing.
Answer<void> check_only_member(const Json& object, std::string_view known) {
  for (const auto& [name, value] : object.items()) {
    if (name == known || value.is_null() || value == false || (value.is_structured() && value.empty())) continue;
    return refuse(RegistryCode::not_permitted,
                  fmt::format("\"{}\" is not supported: only \"{}\" can be set", name, known));
  }
  return {};
}

template <const auto& setting>
Body put_setting(Call& call) {
  PG_ASSIGN(const auto json, call.json_body());
  PG_CHECK(check_only_member(json, setting.put_word));
  PG_ASSIGN(const auto text, text_member(json, setting.put_word));
  const auto value = text ? setting.parse(*text) : std::nullopt;
  if (!value) return refuse(setting.invalid, fmt::format("'{}' is not a {}", text.value_or(""), setting.get_word));
  PG_CHECK((call.registry.*setting.set)(call.subject_or_all(), value, call.deadline));
  return to_one_line({{setting.put_word, setting.name(*value)}});
}

// What it was.
template <const auto& setting>
Body delete_setting(Call& call) {
  const auto subject = call.subject_or_all();
  PG_ASSIGN(const auto before, (call.registry.*setting.in_force)(subject));
  const auto done = (call.registry.*setting.set)(subject, std::nullopt, call.deadline);
  if (!done && done.error().code == setting.unset) {
    return refuse(RegistryCode::subject_not_found, done.error().error.message());
  }
  PG_CHECK(done);
  return to_one_line({{setting.get_word, setting.name(before.value)}});
}

struct Route {
  const char* method;
  const char* path;
  Body (*answer)(Call&);
};

constexpr Route kRoutes[] = {
    {"GET", "/", root},
    {"GET", "/subjects", list_subjects},
    {"POST", "/subjects/{subject}", look_up},
    {"DELETE", "/subjects/{subject}", delete_subject},
    {"GET", "/subjects/{subject}/versions", list_versions},
    {"POST", "/subjects/{subject}/versions", register_schema},
    {"GET", "/subjects/{subject}/versions/{version}", get_version},
    {"DELETE", "/subjects/{subject}/versions/{version}", delete_version},
    {"GET", "/subjects/{subject}/versions/{version}/schema", get_version_text},
    {"GET", "/subjects/{subject}/versions/{version}/referencedby", referenced_by},
    {"GET", "/schemas/types", schema_types},
    {"GET", "/schemas/ids/{id}", get_id},
    {"GET", "/schemas/ids/{id}/schema", get_id_text},
    {"GET", "/schemas/ids/{id}/subjects", get_id_subjects},
    {"GET", "/schemas/ids/{id}/versions", get_id_versions},
    {"POST", "/compatibility/subjects/{subject}/versions", check_by_level},
    {"POST", "/compatibility/subjects/{subject}/versions/{version}", check_with_version},
    {"GET", "/config", get_setting<kConfig>},
    {"PUT", "/config", put_setting<kConfig>},
    {"DELETE", "/config", delete_setting<kConfig>},
    {"GET", "/config/{subject}", get_setting<kConfig>},
    {"PUT", "/config/{subject}", put_setting<kConfig>},
    {"DELETE", "/config/{subject}", delete_setting<kConfig>},
    {"GET", "/mode", get_setting<kMode>},
    {"PUT", "/mode", put_setting<kMode>},
    {"DELETE", "/mode", delete_setting<kMode>},
    {"GET", "/mode/{subject}", get_setting<kMode>},
    {"PUT", "/mode/{subject}", put_setting<kMode>},
    {"DELETE", "/mode/{subject}", delete_setting<kMode>},
};

// Whether the path is one of this route; takes what it has for the names in braces.
bool match(std::string_view pattern, Call& call) {
  const auto& path = call.target.path;
  const auto parts = pattern == "/" ? std::vector<std::string_view>() : split(pattern.substr(1), '/');
  if (parts.size() != path.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "{subject}")
      call.subject = path[i];
    else if (parts[i] == "{version}")
      call.version = path[i];
    else if (parts[i] == "{id}")
      call.id = path[i];
    else if (parts[i] != path[i])
      return false;
  }
  return true;
}

Answer<const Route*> find_route(std::string_view method, Call& call) {
  bool is_path = false;
  for (const auto& route : kRoutes) {
    Call trial = call;
    if (!match(route.path, trial)) continue;
    is_path = true;
    // HEAD is a GET whose body the HTTP layer does not send.
    if (route.method != (method == "HEAD" ? "GET" : method)) continue;
    call.subject = std::move(trial.subject);
    call.version = std::move(trial.version);
    call.id = std::move(trial.id);
    if (std::string_view(route.path).find("{subject}") != std::string_view::npos) PG_CHECK(check_subject(call.subject));
    return &route;
  }
  if (is_path) return refuse_plainly(405, fmt::format("{} is not for this path", method));
  return refuse_plainly(404, "there is no such path");
}

}  // namespace

RestResponse rest_error(int code, std::string_view message) {
  const int status = code < 1000 ? code : http_status(RegistryCode(code));
  return {status, to_one_line({{"error_code", code}, {"message", message}})};
}

RestResponse RestApi::handle(const RestRequest& request, Deadline deadline) {
  const auto target = parse_rest_target(request.target);
  if (!target) return rest_error(400, "this is not a path with a query");
  Call call{*registry_, policy_, deadline, *target, request.body};
  const auto answer = [&]() -> Body {
    PG_ASSIGN(const Route* route, find_route(request.method, call));
    const std::lock_guard lock(mutex_);
    PG_CHECK(registry_->catch_up(deadline));
    PG_CHECK(registry_->flush(deadline));
    return route->answer(call);
  }();
  return answer ? RestResponse{200, *answer} : rest_error(answer.error().code, answer.error().message);
}

}  // namespace pg
