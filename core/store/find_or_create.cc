#include "core/store/find_or_create.h"

namespace pg {

Result<TopicMetadata> find_or_create_topic(Home& home, const std::string& name, const ConfigMap& config,
                                           Deadline deadline) {
  auto found = home.describe_topic(name);
  if (found || found.error().code != Errc::not_found) return found;
  auto created = home.create_topic(name, 1, config, deadline);
  if (created || created.error().code != Errc::already_exists) return created;
  found = home.describe_topic(name);  // somebody was faster
  return found ? found : created;     // or what is in the way is another broker's log directory
}

}  // namespace pg
