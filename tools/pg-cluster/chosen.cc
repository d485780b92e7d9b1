// Which brokers a command is for, and how this program is started once more for one of them.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/text.h"
#include "tools/pg-cluster/commands.h"

namespace pg {

Result<BrokerId> known_broker(const Home& home, int64_t number) {
  const auto id = static_cast<int32_t>(std::min<int64_t>(number, std::numeric_limits<int32_t>::max()));
  return home.find_broker(BrokerId(id)).map([](const BrokerMetadata& broker) { return broker.id; });
}

Result<std::vector<BrokerId>> chosen_brokers(const Home& home, const Arguments& numbers, bool all) {
  if (all == !numbers.empty()) return fail(Errc::invalid_argument, "which brokers: either their numbers or --all");
  if (all) return home.broker_ids();
  std::vector<BrokerId> chosen;
  for (const auto& text : numbers) {
    const auto number = parse_integer(text);
    if (!number || *number < 0)
      return fail(Errc::invalid_argument, fmt::format("'{}' is not a number of a broker", text));
    PG_ASSIGN(const BrokerId broker, known_broker(home, *number));
    if (std::find(chosen.begin(), chosen.end(), broker) == chosen.end()) chosen.push_back(broker);
  }
  return chosen;
}

ProgramStart this_program(const std::string& home, const char* command, BrokerId broker) {
  return {{"pg-cluster", command, "--home", home, "--broker", fmt::format("{}", broker.value)}, our_environment()};
}

}  // namespace pg
