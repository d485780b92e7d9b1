#include "core/os/user.h"

#include <unistd.h>

#include "core/base/text.h"
#include "core/os/system_file.h"

namespace pg {

std::string home_directory_in(std::string_view passwd, uint32_t id) {
  constexpr size_t kId = 2, kHome = 5;
  for (const auto line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() > kHome && parse_integer(fields[kId]) == int64_t{id}) return std::string(fields[kHome]);
  }
  return {};
}

std::string home_directory_of_user() { return home_directory_in(read_system_file("/etc/passwd"), geteuid()); }

}  // namespace pg
