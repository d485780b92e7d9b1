// cluster.json and topic.json: metadata to JSON text and back. Each carries a format version and feature flags.
#pragma once

#include <string>
#include <string_view>

#include "core/store/home.h"

namespace pg {

std::string write_cluster(const ClusterMetadata& cluster);
Result<ClusterMetadata> parse_cluster(std::string_view text);

std::string write_topic(const TopicMetadata& topic);
Result<TopicMetadata> parse_topic(std::string_view text);

}  // namespace pg
