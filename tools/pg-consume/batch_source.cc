#include "tools/pg-consume/batch_source.h"

#include "core/base/limits.h"
#include "core/os/stream.h"
#include "tools/common/offsets_file.h"

namespace pg {
namespace {

class NoSource final : public BatchSource {
 public:
  Result<std::optional<ConsumedBatch>> poll(Deadline) override { return std::nullopt; }
  bool at_end() const override { return true; }
};

class TopicSource final : public BatchSource {
 public:
  explicit TopicSource(std::unique_ptr<Consumer> consumer) : consumer_(std::move(consumer)) {}
  Result<std::optional<ConsumedBatch>> poll(Deadline deadline) override { return consumer_->poll(deadline); }
  bool at_end() const override { return consumer_->at_end(); }

 private:
  std::unique_ptr<Consumer> consumer_;
};

Result<> about_offsets_file(Result<> done) {
  if (!done) done.error().what = "--offsets-file: " + done.error().what;
  return done;
}

class GroupSource final : public BatchSource {
 public:
  GroupSource(const Env& env, std::unique_ptr<GroupConsumer> consumer, std::string offsets_file)
      : env_(env),
        consumer_(std::move(consumer)),
        offsets_file_(std::move(offsets_file)),
        next_commit_(env_.clock.now()) {}

  Result<std::optional<ConsumedBatch>> poll(Deadline deadline) override { return consumer_->poll(deadline); }
  bool at_end() const override { return consumer_->at_end(); }
  Result<> attend() override { return consumer_->attend(); }
  void delivered(const TopicPartition& partition, Offset next, LeaderEpoch epoch) override {
    consumer_->delivered(partition, next, epoch);
  }
  bool commit_is_due() const override { return env_.clock.now() >= next_commit_; }

  Result<> commit() override {
    next_commit_ = env_.clock.after(kCommitInterval);
    const auto committed = consumer_->commit();
    return !committed && committed.error().code == Errc::fenced ? Result<>() : committed;
  }

  Result<> finish() override {
    const auto left = consumer_->leave();
    if (!offsets_file_.empty()) PG_CHECK(write_positions());
    return left;
  }

  std::optional<int> ownership_descriptor(const std::string& topic) const override {
    return consumer_->ownership_descriptor(topic);
  }

 private:
  // Whole or not at all: a part of it would leave records uncommitted, which does no harm, but nobody would notice.
  Result<> write_positions() {
    return about_offsets_file(write_user_file(env_.files, offsets_file_, write_offsets_file(consumer_->positions())));
  }

  Env env_;
  std::unique_ptr<GroupConsumer> consumer_;
  std::string offsets_file_;
  Deadline next_commit_;
};

}  // namespace

std::unique_ptr<BatchSource> open_nothing() { return std::make_unique<NoSource>(); }

Result<std::unique_ptr<BatchSource>> open_topics(Cluster& cluster, ConsumerOptions options) {
  PG_ASSIGN(auto consumer, cluster.open_consumer(std::move(options)));
  return std::make_unique<TopicSource>(std::move(consumer));
}

Result<std::unique_ptr<BatchSource>> open_group(const Env& env, Cluster& cluster, const ConsumeOptions& options,
                                                ConsumerOptions reading, Release release) {
  // Before anything is delivered that nobody would know of.
  if (!options.group.offsets_file.empty()) PG_CHECK(about_offsets_file(check_user_file(options.group.offsets_file)));
  GroupConsumerOptions member{.group = options.group.name,
                              .topics = std::move(reading.topics),
                              .assignor = options.group.assignor,
                              .session_timeout = options.group.session_timeout,
                              .reset = options.group.reset,
                              .follow = reading.follow,
                              .isolation = reading.isolation,
                              .timeout = reading.timeout,
                              .skip_damage = std::move(reading.skip_damage),
                              .release = std::move(release),
                              .commits = options.group.commits};
  PG_ASSIGN(auto consumer, cluster.open_group_consumer(std::move(member)));
  return std::make_unique<GroupSource>(env, std::move(consumer), options.group.offsets_file);
}

}  // namespace pg
