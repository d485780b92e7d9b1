// The bytes of the lock files by which a broker and its supervisor show that they run.
#pragma once

#include <cstdint>

namespace pg {

// broker-<id>.lock
namespace broker_lock_byte {
inline constexpr uint32_t kServes = 0;  // held while its replicas may be appended to
inline constexpr uint32_t kRuns = 1;    // held by the one process that is this broker
// Held from before kRuns by a broker that a supervisor started. The system kills such a broker when its supervisor
// ends, so without a supervisor it is about to end.
inline constexpr uint32_t kHasSupervisor = 2;
}  // namespace broker_lock_byte

// supervisor-<id>.lock
namespace supervisor_lock_byte {
inline constexpr uint32_t kRuns = 0;  // held by the one process that looks after this broker
inline constexpr uint32_t kHasWorked =
    1;  // and since the broker has served: it is started again, whatever happens to it
}  // namespace supervisor_lock_byte

}  // namespace pg
