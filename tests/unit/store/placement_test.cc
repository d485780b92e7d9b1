#include "core/store/placement.h"

#include <map>
#include <set>

#include "tests/support/plan_scene.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

const std::vector<BrokerId> kThree{BrokerId(0), BrokerId(1), BrokerId(2)},
    kFive{BrokerId(1), BrokerId(3), BrokerId(4), BrokerId(8), BrokerId(9)};

// A topic whose partition 0 is led by the first broker.
std::string first_topic(const std::vector<BrokerId>& brokers) {
  std::string name = "a";
  while (place_replicas(name, 0, 1, brokers).front() != brokers.front()) ++name[0];
  return name;
}

// "0,1 1,2 2,0": the replicas of partitions 0, 1, ...
std::string layout(const std::vector<BrokerId>& brokers, int32_t partitions, int32_t factor) {
  const std::string topic = first_topic(brokers);
  std::string text;
  for (int32_t p = 0; p < partitions; ++p)
    text += (p == 0 ? "" : " ") + ids_of(place_replicas(topic, p, factor, brokers));
  return text;
}

}  // namespace

TEST_CASE("placement: leaders go round, and followers a step further each time round") {
  CHECK(layout({BrokerId(0)}, 3, 1) == "0 0 0");
  CHECK(layout(kThree, 4, 1) == "0 1 2 0");
  CHECK(layout({BrokerId(0), BrokerId(1)}, 4, 2) == "0,1 1,0 0,1 1,0");
  CHECK(layout(kThree, 7, 2) == "0,1 1,2 2,0 0,2 1,0 2,1 0,1");
  CHECK(layout(kThree, 6, 3) == "0,1,2 1,2,0 2,0,1 0,2,1 1,0,2 2,1,0");
  // Kafka's documentation has this example, for ten partitions, three replicas and five brokers.
  CHECK(layout(kFive, 10, 3) == "1,3,4 3,4,8 4,8,9 8,9,1 9,1,3 1,4,8 3,8,9 4,9,1 8,1,3 9,3,4");
}

TEST_CASE("placement: each broker has its share of leaders and of replicas") {
  for (int32_t factor = 1; factor <= 5; ++factor) {
    std::map<BrokerId, int> leads, has;
    for (int32_t p = 0; p < 20; ++p) {
      const auto replicas = place_replicas("topic", p, factor, kFive);
      CHECK(std::set<BrokerId>(replicas.begin(), replicas.end()).size() == static_cast<size_t>(factor));
      ++leads[replicas.front()];
      for (const BrokerId replica : replicas) ++has[replica];
    }
    for (const BrokerId broker : kFive) {
      CHECK(leads[broker] == 4);
      CHECK(has[broker] == 4 * factor);
    }
  }
}

TEST_CASE("placement: topics of one partition are spread") {
  std::map<BrokerId, int> leads;
  for (int i = 0; i < 300; ++i) ++leads[place_replicas("topic-" + std::to_string(i), 0, 3, kThree).front()];
  for (const BrokerId broker : kThree) CHECK(leads[broker] > 60);
}

TEST_CASE("placement: whoever asks gets the same") {
  for (int32_t p = 0; p < 10; ++p)
    CHECK(place_replicas("orders", p, 3, kFive) == place_replicas("orders", p, 3, kFive));
}
