// Which brokers a command is for.
#include <fmt/format.h>

#include "tools/pg-cluster/commands.h"

namespace pg {

Result<BrokerId> known_broker(const Home&, int64_t number) {
  if (number == 0) return BrokerId(0);
  return fail(Errc::not_found, fmt::format("there is no broker {}: the cluster has 0", number));
}

}  // namespace pg
