// Sends one record, then reads the topic from its start.
#include <fmt/format.h>
#include <pilgrimage/cluster.h>

using namespace pilgrimage;

static Result<> send(Cluster& cluster) {
  const auto producer = cluster.open_producer("greetings");
  if (!producer) return tl::unexpected(producer.error());
  const auto sent = (*producer)->send({.key = "first", .value = "Hello, world!"});
  if (!sent) return sent;
  return (*producer)->close();  // now it is on stable storage
}

static Result<> receive(Cluster& cluster) {
  const auto consumer = cluster.open_consumer({.topics = {"greetings"}});
  if (!consumer) return tl::unexpected(consumer.error());
  for (;;) {
    const auto record = (*consumer)->next_record();
    if (!record) return tl::unexpected(record.error());
    if (!*record) return {};  // every record there was has been returned
    fmt::print("received {}: {}\n", (*record)->key.value_or("(no key)"), (*record)->value.value_or("(null)"));
  }
}

static Result<> run(const char* path) {
  const auto cluster = open_cluster(path);
  if (!cluster) return tl::unexpected(cluster.error());
  const auto sent = send(**cluster);
  return sent ? receive(**cluster) : sent;
}

int main(int argc, char** argv) {
  const auto done = argc == 2 ? run(argv[1]) : fail(Errc::invalid_argument, "usage: simple_send_receive HOME");
  if (!done) fmt::print(stderr, "{}\n", done.error().message());
  return done ? 0 : 1;
}
