// Sends one record, then reads the topic from its start.
#include <fmt/format.h>

#include "core/client/consumer.h"
#include "core/client/producer.h"
#include "core/os/env.h"

static pg::Result<> run(const char* path) {
  PG_ASSIGN(const auto home, pg::Home::open(pg::posix_env(), path));

  PG_ASSIGN(const auto producer, pg::Producer::open(*home, "greetings", {}));
  PG_CHECK(producer->send({.key = "first", .value = "Hello, world!"}));
  PG_CHECK(producer->close());  // now it is on stable storage

  PG_ASSIGN(const auto consumer, pg::Consumer::open(*home, {.topics = {"greetings"}}));
  for (;;) {
    PG_ASSIGN(const auto record, consumer->next_record());
    if (!record) return {};  // every record there was has been returned
    fmt::print("received {}: {}\n", record->key.value_or("(no key)"), record->value.value_or("(null)"));
  }
}

int main(int argc, char** argv) {
  const auto done = argc == 2 ? run(argv[1]) : pg::fail(pg::Errc::invalid_argument, "usage: simple_send_receive HOME");
  if (!done) fmt::print(stderr, "{}\n", done.error().message());
  return done ? 0 : 1;
}
