#include "core/os/boot.h"

#include <fmt/format.h>

#include <algorithm>

namespace pg {

Result<bool> is_this_boot(const Env& env, std::span<const uint8_t, 16> id, uint32_t kind, const std::string& path) {
  PG_ASSIGN(const Uuid now, env.boot_id());
  if (std::equal(id.begin(), id.end(), now.begin())) return true;
  const uint32_t mine = boot_id_kind(env);
  if ((kind & kForeignBootId) == mine) return false;
  const char* const whose = mine != 0 ? "this process, in a container, sees" : "it was written in a container that saw";
  return fail(
      Errc::unsupported_version,
      fmt::format(
          "it has another boot id, but {} a boot id that is not the kernel's, so nothing tells whether the machine "
          "has restarted: let the container see the host's /proc/sys/kernel/random/boot_id, or, if nobody else has "
          "this home open, delete this file",
          whose),
      path);
}

}  // namespace pg
