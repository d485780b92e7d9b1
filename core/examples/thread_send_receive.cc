// A thread that sends, and one that follows the topic and receives each record as it comes.
#include <fmt/format.h>
#include <future>

#include "core/client/consumer.h"
#include "core/client/producer.h"

static pg::Result<> send(pg::Producer& producer) {
  for (int i = 0; i < 10; ++i) {
    PG_CHECK(producer.send({.key = {}, .value = fmt::format("message {}", i)}));
    PG_CHECK(producer.send_batches());  // at once, not when the batch is full
  }
  return producer.close();
}

static pg::Result<> receive(pg::Consumer& consumer, pg::Clock& clock) {
  for (int i = 0; i < 10; ++i) {
    PG_ASSIGN(const auto record, consumer.next_record(clock.after(pg::kTimeoutDefault)));
    if (!record) return pg::fail(pg::Errc::timed_out, "no record came in time");
    fmt::print("received {}\n", *record->value);
  }
  return {};
}

static pg::Result<> run(const char* path) {
  PG_ASSIGN(const auto home, pg::Home::open(pg::posix_env(), path));
  const auto made = home->create_topic("chat", 1, {}, home->env().clock.after(pg::kTimeoutDefault));
  if (!made && made.error().code != pg::Errc::already_exists) return tl::unexpected(made.error());
  PG_ASSIGN(const auto producer, pg::Producer::open(*home, "chat", {}));
  PG_ASSIGN(const auto consumer,
            pg::Consumer::open(*home, {.topics = {"chat"}, .from = {pg::Place::Kind::end}, .follow = true}));
  auto receiver = std::async(std::launch::async, [&] { return receive(*consumer, home->env().clock); });
  return send(*producer).and_then([&] { return receiver.get(); });
}

int main(int argc, char** argv) {
  const auto done = argc == 2 ? run(argv[1]) : pg::fail(pg::Errc::invalid_argument, "usage: thread_send_receive HOME");
  if (!done) fmt::print(stderr, "{}\n", done.error().message());
  return done ? 0 : 1;
}
