// Two topics of several partitions. One consumer reads all of both, another one partition of one.
#include <fmt/format.h>

#include "core/local/consumer.h"
#include "core/local/producer.h"
#include "core/os/env.h"

static pg::Result<> send(pg::Home& home, const std::string& topic, int32_t partitions) {
  const auto made = home.create_topic(topic, partitions, {}, home.env().clock.after(pg::kTimeoutDefault));
  if (!made && made.error().code != pg::Errc::already_exists) return tl::unexpected(made.error());
  PG_ASSIGN(const auto producer, pg::LocalProducer::open(home, topic, {}));
  for (const char* key : {"ann", "bob", "cem", "gus"}) PG_CHECK(producer->send({.key = key, .value = topic}));
  return producer->close();  // a key always goes to the same partition
}

static pg::Result<> receive(pg::Home& home, const char* reader, pg::ConsumerOptions options) {
  PG_ASSIGN(const auto consumer, pg::LocalConsumer::open(home, std::move(options)));
  for (;;) {
    PG_ASSIGN(const auto record, consumer->next_record());
    if (!record) return {};
    const auto& [topic, partition] = *record->source;
    fmt::print("{}: {}-{} @ {}: {}\n", reader, topic, partition.value, record->offset.value, *record->key);
  }
}

static pg::Result<> run(const char* path) {
  PG_ASSIGN(const auto home, pg::Home::open(pg::posix_env(), path));
  PG_CHECK(send(*home, "orders", 3));
  PG_CHECK(send(*home, "payments", 2));
  PG_CHECK(receive(*home, "first", {.topics = {"orders", "payments"}}));
  return receive(*home, "second", {.topics = {"orders"}, .partitions = {pg::PartitionId(0)}});
}

int main(int argc, char** argv) {
  const auto done = argc == 2 ? run(argv[1]) : pg::fail(pg::Errc::invalid_argument, "usage: multi_send_receive HOME");
  if (!done) fmt::print(stderr, "{}\n", done.error().message());
  return done ? 0 : 1;
}
