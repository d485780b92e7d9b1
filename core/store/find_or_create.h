// A topic that is made on first use.
#pragma once

#include "core/store/home.h"

namespace pg {

// The topic as it is, or a new one of one partition. Errors: those of Home::create_topic, but for a topic that exists.
Result<TopicMetadata> find_or_create_topic(Home& home, const std::string& name, const ConfigMap& config,
                                           Deadline deadline);

}  // namespace pg
