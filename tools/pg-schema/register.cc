// pg-schema register and check: a schema from a file, and what a subject has to say about it.
#include <fmt/format.h>

#include "core/base/limits.h"
#include "tools/common/json_record.h"
#include "tools/pg-schema/commands.h"

namespace pg {

Result<OpenRegistry> open_registry(const Tool& tool, RegistryUse use) {
  PG_ASSIGN(auto home, use == RegistryUse::write ? tool.open_home_to_write() : tool.open_home());
  PG_ASSIGN(auto registry, Registry::open(*home, tool.deadline()));
  return OpenRegistry{std::move(home), std::move(registry)};
}

Result<std::string> parse_subject(const std::string& operand) {
  PG_ASSIGN(const auto choice, parse_subject_choice(operand));
  if (!choice.names_version) return operand;
  return fail(Errc::invalid_argument, fmt::format("'{}' names a version: only its subject is wanted", operand));
}

namespace {

// A schema that is far too large is read as far as it takes to say so.
constexpr size_t kFileBytesMax = 64 * kSchemaBytesMax;

struct SchemaFile {
  std::optional<SchemaType> type;
  CompatibilityPolicy policy = CompatibilityPolicy::strict;
};

void add_schema_options(OptionTable& table, SchemaFile& file) {
  table.option(
      "--type", "TYPE",
      [&file](const std::string& value) -> Result<> {
        file.type = parse_schema_type(value);
        return file.type ? Result<>()
                         : fail(Errc::invalid_argument, fmt::format("'{}' is not json, avro or protobuf", value));
      },
      "json, avro or protobuf (default: by the file's name, that\nis .json, .avsc or .proto)");
  table.option(
      "--policy", "POLICY",
      [&file](const std::string& value) -> Result<> {
        if (value == "strict")
          file.policy = CompatibilityPolicy::strict;
        else if (value == "lenient")
          file.policy = CompatibilityPolicy::lenient;
        else
          return fail(Errc::invalid_argument, fmt::format("'{}' is not strict or lenient", value));
        return {};
      },
      "how changes of open content models of JSON Schema are\njudged: strict (default) or lenient");
}

Result<SchemaText> read_schema(const SchemaFile& file, const std::string& path) {
  auto type = file.type;
  if (!type && path.ends_with(".json")) type = SchemaType::json;
  if (!type && path.ends_with(".avsc")) type = SchemaType::avro;
  if (!type && path.ends_with(".proto")) type = SchemaType::protobuf;
  if (!type)
    return fail(Errc::invalid_argument, fmt::format("of which type is '{}'? say --type json, avro or protobuf", path));
  PG_ASSIGN(auto text, read_user_file(path == "-" ? "/dev/stdin" : path, kFileBytesMax));
  return SchemaText{*type, std::move(text)};
}

// The user should learn this now, and not from the first value that is refused.
void note_unchecked_values(const Tool& tool, const SchemaText& schema) {
  const auto parsed = parse_schema(schema.type, schema.text);
  if (!parsed) return;
  const auto tried = (*parsed)->encode("null");
  if (!tried && tried.error().code == Errc::unsupported_version) tool.note(tried.error().what);
}

std::string line_of(const Incompatibility& each) {
  return fmt::format("{} at {}: {}", each.kind, each.path, each.message);
}

std::string json_of(const Incompatibility& each) {
  return fmt::format("{{\"kind\":{},\"path\":{},\"message\":{}}}", json_string(each.kind), json_string(each.path),
                     json_string(each.message));
}

}  // namespace

int schema_register(const Arguments& arguments) {
  Tool tool("pg-schema register");
  SchemaFile file;
  OptionTable table(
      "pg-schema register", "SUBJECT FILE",
      "Makes the schema in FILE the next version of SUBJECT, unless it is one already, and prints its id.");
  table.operands(2, 2);
  add_schema_options(table, file);
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto subject, parse_subject(operands[0]));
    PG_ASSIGN(const auto schema, read_schema(file, operands[1]));
    PG_ASSIGN(auto open, open_registry(tool, RegistryUse::write));
    const auto done = open.registry.register_schema(subject, schema, file.policy, tool.deadline());
    if (!done) {
      for (const auto& each : done.error().incompatible) tool.error(line_of(each));
      return tl::unexpected(done.error().error);
    }
    note_unchecked_values(tool, schema);
    const std::string out =
        tool.common().json
            ? fmt::format("{{\"subject\":{},\"version\":{},\"id\":{},\"type\":\"{}\"}}\n", json_string(done->subject),
                          done->version, done->id, schema_type_name(done->type))
            : fmt::format("{}\n", done->id);
    return tool.print(out).map([] { return kExitDone; });
  });
}

int schema_check(const Arguments& arguments) {
  Tool tool("pg-schema check");
  SchemaFile file;
  OptionTable table("pg-schema check", "SUBJECT[:VERSION] FILE",
                    "Prints each change that keeps the schema in FILE from being the next version of SUBJECT,\n"
                    "and ends with 8 if there is any. With a VERSION it is compared with that one alone.");
  table.operands(2, 2);
  add_schema_options(table, file);
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto schema, read_schema(file, operands[1]));
    PG_ASSIGN(const auto choice, parse_subject_choice(operands[0]));
    PG_CHECK(check_subject(choice.subject));
    PG_ASSIGN(auto open, open_registry(tool));
    PG_ASSIGN(const auto found, open.registry.check(choice.subject, choice.version, schema, file.policy));
    PG_ASSIGN(const auto in_force, open.registry.level(choice.subject));
    const auto level = level_name(in_force.value);
    std::string out, list;
    for (const auto& each : found) {
      out += line_of(each) + "\n";
      list += (list.empty() ? "" : ",") + json_of(each);
    }
    if (tool.common().json) {
      out = fmt::format("{{\"subject\":{},\"level\":\"{}\",\"compatible\":{},\"incompatibilities\":[{}]}}\n",
                        json_string(choice.subject), level, found.empty(), list);
    }
    PG_CHECK(tool.print(out));
    if (found.empty()) return kExitDone;
    return fail(Errc::conflict,
                fmt::format("the schema is incompatible with subject '{}', whose level is {}", choice.subject, level));
  });
}

}  // namespace pg
