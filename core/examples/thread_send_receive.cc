// A thread that sends, and one that follows the topic and receives each record as it comes.
#include <fmt/format.h>
#include <pilgrimage/cluster.h>
#include <future>

using namespace pilgrimage;

static Result<> send(Producer& producer) {
  for (int i = 0; i < 10; ++i) {
    if (const auto sent = producer.send({.value = fmt::format("message {}", i)}); !sent) return sent;
    if (const auto sent = producer.send_batches(); !sent) return sent;  // at once, not when the batch is full
  }
  return producer.close();
}

static Result<> receive(Consumer& consumer) {
  for (int i = 0; i < 10; ++i) {
    const auto record = consumer.next_record(std::chrono::steady_clock::now() + kTimeoutDefault);
    if (!record) return tl::unexpected(record.error());
    if (!*record) return fail(Errc::timed_out, "no record came in time");
    fmt::print("received {}\n", *(*record)->value);
  }
  return {};
}

static Result<> run(const char* path) {
  const auto cluster = open_cluster(path);
  if (!cluster) return tl::unexpected(cluster.error());
  // An input without records creates the topic, too.
  const auto made = (*cluster)->open_producer("chat").and_then([](auto first) { return first->close(); });
  if (!made) return made;
  const auto producer = (*cluster)->open_producer("chat");
  if (!producer) return tl::unexpected(producer.error());
  const auto consumer = (*cluster)->open_consumer({.topics = {"chat"}, .from = {Place::Kind::end}, .follow = true});
  if (!consumer) return tl::unexpected(consumer.error());
  auto receiver = std::async(std::launch::async, [&] { return receive(**consumer); });
  const auto sent = send(**producer);
  const auto received = receiver.get();
  return sent ? received : sent;
}

int main(int argc, char** argv) {
  const auto done = argc == 2 ? run(argv[1]) : fail(Errc::invalid_argument, "usage: thread_send_receive HOME");
  if (!done) fmt::print(stderr, "{}\n", done.error().message());
  return done ? 0 : 1;
}
