// A home for the tests of core/local, with short ways to fill and read topics.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/local/consumer.h"
#include "core/local/producer.h"
#include "core/store/home.h"
#include "tests/support/test_env.h"

namespace pg {

class TestHome {
 public:
  explicit TestHome(Machine machine = Machine::memory)
      : env(machine), path(env.root() + "/home"), home(must(Home::open(env.env(), path))) {
    must(home->make());
  }

  TopicMetadata create(const std::string& topic, int32_t partitions = 1, const ConfigMap& config = {}) {
    return must(home->create_topic(topic, partitions, config, env.soon()));
  }
  // Of a topic that is made now, if it is not there: otherwise the first record makes it.
  std::unique_ptr<LocalProducer> producer(const std::string& topic, ProducerOptions options = {}) {
    if (options.create_topic && !home->describe_topic(topic)) create(topic);
    return must(LocalProducer::open(*home, topic, std::move(options)));
  }
  std::unique_ptr<LocalConsumer> consumer(ConsumerOptions options) {
    return must(LocalConsumer::open(*home, std::move(options)));
  }
  std::unique_ptr<PartitionLog> log(const std::string& topic, int32_t partition = 0) {
    return must(home->open_partition(must(home->describe_topic(topic)), PartitionId(partition), Access::read_write,
                                     env.soon()));
  }

  // Writes each value as a batch of its own, and closes.
  void produce(const std::string& topic, const std::vector<std::string>& values, int32_t partition = 0,
               std::optional<int64_t> timestamp_ms = {}) {
    const auto writer = producer(topic, {.batch_bytes = 1});
    for (const auto& value : values) {
      must(writer->send({.value = value, .timestamp_ms = timestamp_ms}, PartitionId(partition)));
      if (timestamp_ms) ++*timestamp_ms;
    }
    must(writer->close());
  }

  // What a consumer returns until it has nothing more: "t-0@0=a t-1@0=b".
  static std::string rest(LocalConsumer& consumer, Deadline deadline = kNoDeadline) {
    std::string text;
    while (const auto record = must(consumer.next_record(deadline))) {
      if (!text.empty()) text += ' ';
      text += record->source->topic + "-" + std::to_string(record->source->partition.value) + "@" +
              std::to_string(record->offset.value) + "=" + std::string(record->value.value_or("null"));
    }
    return text;
  }
  std::string read(ConsumerOptions options) { return rest(*consumer(std::move(options))); }

  TestEnv env;
  std::string path;
  std::unique_ptr<Home> home;
};

}  // namespace pg
