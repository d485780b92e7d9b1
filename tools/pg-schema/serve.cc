// pg-schema serve: a program of its own, since cpp-httplib comes as a shared library only, with OpenSSL behind it.
#include "core/os/this_program.h"
#include "tools/pg-schema/commands.h"

namespace pg {

int schema_serve(const Arguments& arguments) {
  const Tool tool("pg-schema serve");
  const Error failed = become_program("../libexec/pilgrimage/pg-schema-serve", "pg-schema", arguments);
  tool.error(failed.message());
  return exit_code(failed);
}

}  // namespace pg
