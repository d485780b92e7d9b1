// pg-schema get and list: what is registered.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "tools/common/json_record.h"
#include "tools/pg-schema/commands.h"

namespace pg {
namespace {

std::string json_of(const RegisteredSchema& schema, bool with_text) {
  return fmt::format("{{\"subject\":{},\"version\":{},\"id\":{},\"type\":\"{}\",\"deleted\":{}{}}}\n",
                     json_string(schema.subject), schema.version, schema.id, schema_type_name(schema.type),
                     schema.deleted, with_text ? fmt::format(",\"schema\":{}", json_string(schema.text)) : "");
}

Result<> print_schema(const Tool& tool, const RegisteredSchema& schema) {
  if (tool.common().json) return tool.print(json_of(schema, true));
  return tool.print(schema.text.ends_with('\n') ? schema.text : schema.text + '\n');
}

Result<> list_subjects(const Tool& tool, Registry& registry, Deleted deleted) {
  PG_ASSIGN(const auto live, registry.subjects("", Deleted::no));
  PG_ASSIGN(const auto all, registry.subjects("", deleted));
  std::string out;
  for (const auto& subject : all) {
    const bool is_live = std::ranges::binary_search(live, subject);
    out += tool.common().json ? fmt::format("{{\"subject\":{},\"deleted\":{}}}\n", json_string(subject), !is_live)
                              : subject + '\n';
  }
  return tool.print(out);
}

Result<> list_versions(const Tool& tool, Registry& registry, const std::string& subject, Deleted deleted) {
  PG_ASSIGN(const auto versions, registry.versions(subject, deleted));
  std::string out;
  for (const int32_t version : versions) {
    if (!tool.common().json) {
      out += fmt::format("{}\n", version);
      continue;
    }
    PG_ASSIGN(const auto schema, registry.find(subject, version, deleted));
    out += json_of(schema, false);
  }
  return tool.print(out);
}

}  // namespace

int schema_get(const Arguments& arguments) {
  Tool tool("pg-schema get");
  int64_t id = 0;
  bool deleted = false;
  OptionTable table("pg-schema get", "[SUBJECT[:VERSION]]",
                    "Prints the schema of VERSION, or of the latest one, of SUBJECT; or the one that has an id.");
  table.operands(0, 1);
  table.count("--id", 1, id, "print the schema with the id N");
  table.flag("--deleted", deleted, "also a version that is deleted, but not for good");
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    if ((id > 0) == !operands.empty()) return fail(Errc::invalid_argument, "either a SUBJECT or --id is wanted");
    if (id > INT32_MAX) return fail(Errc::not_found, fmt::format("no schema has the id {}", id));
    PG_ASSIGN(auto open, open_registry(tool));
    if (id > 0) {
      PG_ASSIGN(const auto schema, open.registry.find_id(static_cast<int32_t>(id)));
      return print_schema(tool, schema).map([] { return kExitDone; });
    }
    PG_ASSIGN(const auto choice, parse_subject_choice(operands[0]));
    PG_ASSIGN(const auto schema,
              open.registry.find(choice.subject, choice.version, deleted ? Deleted::too : Deleted::no));
    return print_schema(tool, schema).map([] { return kExitDone; });
  });
}

int schema_list(const Arguments& arguments) {
  Tool tool("pg-schema list");
  bool deleted = false;
  OptionTable table("pg-schema list", "[SUBJECT]",
                    "Prints the name of each subject, or the number of each version of SUBJECT, one per line.");
  table.operands(0, 1);
  table.flag("--deleted", deleted, "also what is deleted, but not for good");
  tool.add_common_options(table, "print a line of JSON per subject or version");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(auto open, open_registry(tool));
    const Deleted which = deleted ? Deleted::too : Deleted::no;
    if (operands.empty())
      PG_CHECK(list_subjects(tool, open.registry, which));
    else
      PG_CHECK(list_versions(tool, open.registry, operands[0], which));
    return kExitDone;
  });
}

}  // namespace pg
