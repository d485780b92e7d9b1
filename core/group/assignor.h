// Which member of a consumer group reads which partition. Pure: the same input gives the same assignment everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/format/group_record.h"

namespace pg {

enum class AssignorKind {
  range,        // Kafka's RangeAssignor: of each topic, a run of partitions to each member
  round_robin,  // Kafka's RoundRobinAssignor: the partitions of all topics in turn
  sticky,       // as even as it can be, and everybody keeps what need not move
};

// Kafka's name of the protocol: "range", "roundrobin", "sticky".
std::string assignor_name(AssignorKind kind);
// Takes "round-robin" too.
std::optional<AssignorKind> parse_assignor(std::string_view name);

// A member as an assignor sees it.
struct Subscriber {
  std::string id;
  std::vector<std::string> topics;
  Assignment owned;  // what it reads so far; only the sticky assignor looks at it
};

// Gives each partition of each subscribed topic to one subscriber of the topic. Each subscriber has an entry, which is
// empty if there is nothing for it. Topics without a count do not exist and are ignored. No two subscribers have the
// same id.
std::map<std::string, Assignment> assign(AssignorKind kind, std::vector<Subscriber> subscribers,
                                         const std::map<std::string, int32_t>& partition_counts);

}  // namespace pg
