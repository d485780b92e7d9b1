#include <fmt/format.h>

#include "tools/pg-cluster/commands.h"

namespace pg {

Result<BrokerId> known_broker(const Home& home, int64_t number) {
  const auto id = static_cast<int32_t>(std::min<int64_t>(number, std::numeric_limits<int32_t>::max()));
  return home.find_broker(BrokerId(id)).map([](const BrokerMetadata& broker) { return broker.id; });
}

}  // namespace pg
