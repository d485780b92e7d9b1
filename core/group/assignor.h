// Which member of a consumer group reads which partition. Pure: the same input gives the same assignment everywhere.
#pragma once

#include <pilgrimage/group_consumer.h>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/format/group_record.h"

namespace pg {

using pilgrimage::assignor_name;
using pilgrimage::AssignorKind;
using pilgrimage::parse_assignor;

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
