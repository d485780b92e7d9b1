#include "core/cluster/topic_list.h"

#include <chrono>

namespace pg {
namespace {

// Who changes metadata on a disk that is full may not be able to say so.
constexpr Duration kLookInterval = std::chrono::seconds(1);

}  // namespace

void TopicList::refresh() {
  const auto state = home_.cluster_state();
  const Deadline now = home_.env().clock.now();
  const uint32_t word = state ? state->page().metadata_word.load() : 0;
  if (read_ && state == state_ && word == seen_ && now - *read_ < kLookInterval) return;
  state_ = state;
  seen_ = word;
  read_ = now;
  read_all();
}

void TopicList::read_all() {
  const auto names = home_.list_topic_folders();
  if (!names) return;  // what was known stays
  Topics topics;
  for (const auto& name : *names) {
    const auto known = topics_.find(name);
    const auto version = home_.topic_version(name);
    if (known != topics_.end() && version && known->second->version == *version) {
      topics.insert(*known);
      continue;
    }
    auto topic = home_.describe_topic(name);
    if (topic)
      topics[name] = std::make_shared<const TopicMetadata>(std::move(*topic));
    else if (topic.error().code != Errc::not_found && known != topics_.end())
      topics.insert(*known);
  }
  topics_ = std::move(topics);
}

}  // namespace pg
