// pg-schema: what values look like. This file only lists the commands.
#include "tools/pg-schema/commands.h"

namespace pg {
namespace {

constexpr Subcommand kCommands[] = {
    {"register", "add a schema to a subject", schema_register},
    {"check", "see whether a schema may follow those of a subject", schema_check},
    {"get", "print a schema", schema_get},
    {"list", "print subjects, or the versions of one", schema_list},
    {"delete", "delete a subject, or a version of one", schema_delete},
    {"level", "print or set which changes are allowed", schema_level},
    {"mode", "print or set whether changes are allowed at all", schema_mode},
    {"validate", "see which records match a schema", schema_validate},
    {"encode", "make values of JSON records", schema_encode},
    {"decode", "make JSON of values", schema_decode},
    {"serve", "answer requests by Confluent's REST API", schema_serve},
};

}  // namespace
}  // namespace pg

int main(int argc, char** argv) { return pg::run_subcommand("pg-schema", pg::kCommands, argc, argv); }
