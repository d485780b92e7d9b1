// Which boot of the machine a mapped file is from.
//
// A container may see a boot id that is not the kernel's: systemd-nspawn mounts a file of its own over
// /proc/sys/kernel/random/boot_id. Then one kernel has two boot ids, and another id no longer says that the machine has
// restarted.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/os/env.h"

namespace pg {

// The bit beside a stored boot id that is not the kernel's.
inline constexpr uint32_t kForeignBootId = 1;

// `kForeignBootId` or 0, for what is written now.
inline uint32_t boot_id_kind(const Env& env) { return env.has_kernels_boot_id() ? 0 : kForeignBootId; }

// Whether the file `path`, which has `id`, is of this boot. unsupported_version: nothing tells, since one of the two
// ids is the kernel's and the other is not. If neither is, a container was started again.
Result<bool> is_this_boot(const Env& env, std::span<const uint8_t, 16> id, uint32_t kind, const std::string& path);

}  // namespace pg
