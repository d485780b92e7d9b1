// The metadata of all topics, read again only where it has changed. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/store/home.h"

namespace pg {

class TopicList {
 public:
  // Borrows `home`.
  explicit TopicList(const Home& home) : home_(home) {}

  // Looks again if somebody said that metadata has changed, or has not said anything for a while.
  void refresh();
  using Topics = std::map<std::string, std::shared_ptr<const TopicMetadata>>;
  const Topics& topics() const { return topics_; }

 private:
  void read_all();

  const Home& home_;
  Topics topics_;
  std::shared_ptr<ClusterState> state_;
  uint32_t seen_ = 0;
  std::optional<Deadline> read_;
};

}  // namespace pg
