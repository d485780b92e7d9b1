// A broker as the controller.
#include "core/cluster/controller.h"

#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_cluster.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("controller: a topic with unreadable metadata keeps no other one from its leader") {
  TestCluster cluster;
  cluster.create();
  const TopicMetadata other = must(cluster.client().create_topic("0", 1, {}, cluster.env.soon(), 3));
  REQUIRE(other.name < cluster.topic_name());  // it comes first
  cluster.settle();
  Controller controller(cluster.client(), BrokerId(1), [](const std::string&) {});
  must(controller.turn());

  must(cluster.env.files.replace(
      names::versioned(names::topic_file(cluster.path, "0"), must(cluster.client().topic_version("0")) + 1), "{"));
  cluster.kill(0);
  cluster.env.manual_clock.advance(HealthWatch::kStartGrace + 1s);
  CHECK(code_of(controller.turn()) == Errc::corrupt);
  CHECK(cluster.status() == "leader 1 epoch 1 isr 1,2");
}
