// pg-schema's commands. Each gets the arguments behind its name and returns the exit status.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/schema/registry.h"
#include "tools/common/run_tool.h"
#include "tools/common/subcommands.h"
#include "tools/common/value_codec.h"

namespace pg {

int schema_register(const Arguments& arguments);
int schema_check(const Arguments& arguments);
int schema_get(const Arguments& arguments);
int schema_list(const Arguments& arguments);
int schema_delete(const Arguments& arguments);
int schema_level(const Arguments& arguments);
int schema_mode(const Arguments& arguments);
int schema_validate(const Arguments& arguments);
int schema_encode(const Arguments& arguments);
int schema_decode(const Arguments& arguments);
int schema_serve(const Arguments& arguments);

// Opens the home and its registry. The registry borrows the home.
struct OpenRegistry {
  std::unique_ptr<Home> home;
  Registry registry;
};
enum class RegistryUse { read, write };  // `write` makes the home if there is none
Result<OpenRegistry> open_registry(const Tool& tool, RegistryUse use = RegistryUse::read);

// For what concerns a whole subject. invalid_argument: it names a version, which would go unnoticed into the name.
Result<std::string> parse_subject(const std::string& operand);

}  // namespace pg
