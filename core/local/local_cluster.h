// A cluster whose files are on this host: the implementation of the public API on home directories.
#pragma once

#include <pilgrimage/cluster.h>
#include <memory>
#include <string>
#include <vector>

#include "core/store/home.h"

namespace pg {

class LocalCluster final : public pilgrimage::Cluster {
 public:
  // `env`: the machine. `location`: the path of the home directory. Errors: those of Home::open.
  static Result<std::unique_ptr<pilgrimage::Cluster>> open(const Env& env, const std::string& location,
                                                           const pilgrimage::ClusterOptions& options);

  const std::string& location() const override { return home_->path(); }
  Result<std::unique_ptr<pilgrimage::Producer>> open_producer(const std::string& topic,
                                                              pilgrimage::ProducerOptions options) override;
  Result<std::unique_ptr<pilgrimage::Consumer>> open_consumer(pilgrimage::ConsumerOptions options) override;
  Result<std::vector<pilgrimage::OwnedRecord>> read_newest(const pilgrimage::ConsumerOptions& options, int64_t count,
                                                           const pilgrimage::RecordPredicate& wanted) override;
  Result<std::unique_ptr<pilgrimage::GroupConsumer>> open_group_consumer(
      pilgrimage::GroupConsumerOptions options) override;

  // For the parts of the library that work on homes.
  Home& home() { return *home_; }

 private:
  explicit LocalCluster(std::unique_ptr<Home> home) : home_(std::move(home)) {}

  std::unique_ptr<Home> home_;
};

}  // namespace pg
