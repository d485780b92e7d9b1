// The smallest program: sends a record and reads it back. value() throws where there is an error instead.
#include <pilgrimage/cluster.h>
#include <iostream>

int main(int, char** argv) {
  const auto cluster = pilgrimage::open_cluster(argv[1]).value();
  const auto producer = cluster->open_producer("hello").value();
  if (!producer->send({.value = "Hello, world!"}) || !producer->close()) return 1;
  const auto consumer = cluster->open_consumer({.topics = {"hello"}}).value();
  while (const auto record = consumer->next_record().value()) std::cout << *record->value << '\n';
}
