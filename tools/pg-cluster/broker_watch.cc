#include "tools/pg-cluster/broker_watch.h"

#include "core/format/broker_locks.h"
#include "core/format/path_names.h"
#include "core/os/process.h"

namespace pg {
namespace {

Result<bool> is_held(const Env& env, const std::string& path, uint32_t byte) {
  const auto lock = env.files.open_lock(path, Access::read_only);
  if (!lock && lock.error().code == Errc::not_found) return false;
  PG_CHECK(lock);
  return (*lock)->is_held(byte);
}

Result<std::optional<int32_t>> holder(const Env& env, const std::string& path, uint32_t byte) {
  const auto info = env.files.info(path);
  if (!info && info.error().code == Errc::not_found) return std::nullopt;
  PG_CHECK(info);
  return lock_holder(*info, byte);
}

}  // namespace

std::string BrokerWatch::log_file() const { return names::broker_log(home_.path(), broker_); }

Result<bool> BrokerWatch::runs() const {
  return is_held(home_.env(), names::broker_lock(home_.path(), broker_), broker_lock_byte::kRuns);
}

Result<bool> BrokerWatch::is_ready() const {
  return is_held(home_.env(), names::broker_lock(home_.path(), broker_), broker_lock_byte::kServes);
}

Result<bool> BrokerWatch::is_supervised() const {
  return is_held(home_.env(), names::supervisor_lock(home_.path(), broker_), supervisor_lock_byte::kRuns);
}

// The broker's byte is read first: a broker with a supervisor has taken it before it runs, and both are free at once
// when it has ended.
Result<bool> BrokerWatch::ends_with_its_supervisor() const {
  PG_ASSIGN(const bool has_supervisor,
            is_held(home_.env(), names::broker_lock(home_.path(), broker_), broker_lock_byte::kHasSupervisor));
  if (!has_supervisor) return false;
  PG_ASSIGN(const bool supervised, is_supervised());
  return !supervised;
}

Result<bool> BrokerWatch::is_kept_working() const {
  return is_held(home_.env(), names::supervisor_lock(home_.path(), broker_), supervisor_lock_byte::kHasWorked);
}

Result<std::optional<int32_t>> BrokerWatch::process() const {
  return holder(home_.env(), names::broker_lock(home_.path(), broker_), broker_lock_byte::kRuns);
}

Result<std::optional<int32_t>> BrokerWatch::supervisor() const {
  return holder(home_.env(), names::supervisor_lock(home_.path(), broker_), supervisor_lock_byte::kRuns);
}

Result<std::optional<int32_t>> BrokerWatch::terminate_supervisor() const {
  PG_ASSIGN(const FileInfo lock, home_.env().files.info(names::supervisor_lock(home_.path(), broker_)));
  return terminate_lock_holder(lock, supervisor_lock_byte::kRuns);
}

}  // namespace pg
