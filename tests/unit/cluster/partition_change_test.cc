// What the controller does about a partition in the course of time: lagging, joining, the preferred leader; and what
// people ask for.
#include "tests/support/plan_scene.h"
#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

using Scene = PlanScene;
constexpr BrokerId kOne = Scene::kOne, kTwo = Scene::kTwo, kThree = Scene::kThree;

// The leader has written up to `end`, and the third replica has told that it has `told`.
void third_has(Scene& scene, int64_t end, std::optional<int64_t> told) {
  scene.first().log_end = Offset(end);
  scene.first().slots[1] = Offset(end);
  scene.first().slots[2] = told ? std::optional(Offset(*told)) : std::nullopt;
}

// Broker 2 leads.
void lead_second(Scene& scene) {
  scene.view.metadata.leader = kTwo;
  scene.first().leads = false;
  scene.second().leads = true;
}

}  // namespace

TEST_CASE("partition_plan: a replica that lacks for too long what the leader has is out of sync") {
  for (const auto told : {std::optional<int64_t>(10), std::optional<int64_t>()}) {
    Scene scene;
    third_has(scene, 20, told);
    CHECK(scene.plan() == "-");
    scene.now += 10s;
    CHECK(scene.plan() == "-");
    scene.now += 1ms;
    CHECK(scene.plan() == "shrink 3 isr 1,2: it lags");
  }
}

TEST_CASE("partition_plan: a replica that always is one look behind keeps up") {
  Scene scene;
  for (int64_t end = 10; end < 200; end += 10) {
    third_has(scene, end, end - 10);
    CHECK(scene.plan() == "-");
    scene.now += 5s;
  }
  // Two looks behind is not enough.
  third_has(scene, 200, 180);
  CHECK(scene.plan() == "-");
  scene.now += 5001ms;
  CHECK(scene.plan() == "shrink 3 isr 1,2: it lags");
}

TEST_CASE("partition_plan: with a new leader, everybody has time again") {
  Scene scene;
  third_has(scene, 20, 10);
  CHECK(scene.plan() == "-");
  scene.now += 11s;
  scene.view.metadata.leader_epoch = scene.first().epoch = LeaderEpoch(6);
  scene.first().in_sync.epoch = LeaderEpoch(6);
  CHECK(scene.plan() == "-");
}

TEST_CASE("partition_plan: the leader itself never lags") {
  Scene scene;
  for (int i = 0; i < 3; ++i) {
    scene.first().log_end = scene.first().log_end + 1;
    scene.first().slots = {std::nullopt, scene.first().log_end, scene.first().log_end};
    CHECK(scene.plan() == "-");
    scene.now += 20s;
  }
}

TEST_CASE(
    "partition_plan: a replica joins when it has what the leader had, and is in sync when it has what the leader had "
    "by then") {
  Scene scene;
  scene.out_of_sync(kThree);
  third_has(scene, 20, 12);
  CHECK(scene.plan() == "-");
  third_has(scene, 25, 19);
  CHECK(scene.plan() == "-");
  third_has(scene, 30, 25);
  const auto join = plan_partition(scene.view, scene.health, scene.config, scene.memory, scene.now);
  CHECK(text_of(join) == "join 3 isr 1,2: it has what the leader has");
  CHECK(join->seen.pack() == scene.first().in_sync.pack());
  // Its bit is set. What the leader has now is what counts.
  scene.first().in_sync = {Scene::kEpoch, 1, 0b111};
  third_has(scene, 40, 30);
  CHECK(scene.plan() == "-");
  third_has(scene, 50, 39);
  CHECK(scene.plan() == "-");
  third_has(scene, 60, 40);
  const auto admit = plan_partition(scene.view, scene.health, scene.config, scene.memory, scene.now);
  CHECK(text_of(admit) == "admit 3 isr 1,2,3: it has what the leader has");
  CHECK(admit->seen.pack() == scene.first().in_sync.pack());
}

TEST_CASE("partition_plan: a replica is in sync once it has on its disk what counts as flushed") {
  Scene scene;
  scene.out_of_sync(kThree);
  scene.first().in_sync = {Scene::kEpoch, 1, 0b111};
  third_has(scene, 40, 40);
  scene.first().slots[2]->flushed = Offset(39);
  CHECK(scene.plan() == "-");
  scene.first().slots[2]->flushed = Offset(40);
  CHECK(scene.plan() == "admit 3 isr 1,2,3: it has what the leader has");
}

TEST_CASE(
    "partition_plan: a replica that the metadata names and the leader's page has not confirmed is admitted again") {
  Scene scene;
  scene.first().confirmed = InSync{Scene::kEpoch, 4, 0b011};
  const auto admit = plan_partition(scene.view, scene.health, scene.config, scene.memory, scene.now);
  CHECK(text_of(admit) == "admit 3 isr 1,2,3: it has what the leader has");
  REQUIRE(admit->confirmed);
  CHECK(admit->confirmed->version == 4);
  scene.first().confirmed->mask = 0b111;
  CHECK(scene.plan() == "-");
}

TEST_CASE("partition_plan: whoever changes the leader's word meanwhile sets a joining replica another mark") {
  Scene scene;
  scene.out_of_sync(kThree);
  scene.first().in_sync = {Scene::kEpoch, 1, 0b111};
  third_has(scene, 40, 30);
  CHECK(scene.plan() == "-");
  scene.first().in_sync.version = 2;  // it may have gone and come back
  third_has(scene, 50, 40);
  CHECK(scene.plan() == "-");
  third_has(scene, 60, 50);
  CHECK(scene.plan() == "admit 3 isr 1,2,3: it has what the leader has");
}

TEST_CASE("partition_plan: a controller that has just begun does not know what the leader had") {
  Scene scene;
  scene.out_of_sync(kThree);
  third_has(scene, 20, 20);
  CHECK(scene.plan() == "-");
  CHECK(scene.plan() == "join 3 isr 1,2: it has what the leader has");
  scene.memory = {};
  CHECK(scene.plan() == "-");
}

TEST_CASE("partition_plan: who must leave does not join, and loses its bit where it had begun to") {
  for (const BrokerHealth health :
       {BrokerHealth::dead, BrokerHealth::hung, BrokerHealth::failed, BrokerHealth::stopping}) {
    Scene scene;
    scene.out_of_sync(kThree);
    scene.health[kThree] = health;
    for (int look = 0; look < 3; ++look) CHECK(scene.plan() == "-");
    scene.first().in_sync.mask = 0b111;
    CHECK(scene.plan() == std::string("shrink 3 isr 1,2: its broker is ") + name_of(health));
  }
}

TEST_CASE("partition_plan: the ISR stays in the order of the replicas") {
  Scene scene;
  scene.out_of_sync(kTwo);
  scene.first().in_sync.mask = 0b111;
  CHECK(scene.plan() == "admit 2 isr 1,2,3: it has what the leader has");
}

TEST_CASE("partition_plan: the preferred leader leads again after it has been in sync for five seconds") {
  Scene scene;
  lead_second(scene);
  CHECK(scene.plan() == "-");
  scene.now += 4999ms;
  CHECK(scene.plan() == "-");
  scene.now += 1ms;
  CHECK(scene.plan() == "elect 1 epoch 6 isr 1,2,3 after 2: it is the preferred leader");
}

TEST_CASE("partition_plan: the five seconds begin anew when it was out of sync") {
  Scene scene;
  lead_second(scene);
  CHECK(scene.plan() == "-");
  scene.now += 4s;
  std::erase(scene.view.metadata.in_sync, kOne);
  scene.second().in_sync.mask = 0b110;
  scene.second().slots[0] = Offset(5);
  CHECK(scene.plan() == "-");
  scene.now += 4s;
  scene.view.metadata.in_sync = {kOne, kTwo, kThree};
  scene.second().in_sync.mask = 0b111;
  scene.second().slots[0] = Offset(10);
  CHECK(scene.plan() == "-");
  scene.now += 4s;
  CHECK(scene.plan() == "-");
  scene.now += 1s;
  CHECK(scene.plan() == "elect 1 epoch 6 isr 1,2,3 after 2: it is the preferred leader");
}

TEST_CASE("partition_plan: a preferred leader that could not go on does not come back, nor if nobody wants that") {
  struct Case {
    const char* what;
    void (*arrange)(Scene&);
  };
  const Case cases[] = {
      {"switched off", [](Scene& s) { s.config.rebalance_leaders = false; }},
      {"little room", [](Scene& s) { s.health[kOne] = BrokerHealth::full; }},
      {"starting", [](Scene& s) { s.health[kOne] = BrokerHealth::starting; }},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.what));
    Scene scene;
    lead_second(scene);
    one.arrange(scene);
    CHECK(scene.plan() == "-");
    scene.now += 6s;
    CHECK(scene.plan() == "-");
  }
}

TEST_CASE("partition_plan: somebody asks for the preferred leader") {
  Scene scene;
  const auto plan = [&] { return text_of(plan_preferred_election(scene.view, scene.health)); };
  CHECK(plan() == "-");
  lead_second(scene);
  CHECK(plan() == "elect 1 epoch 6 isr 1,2,3 after 2: somebody asked for it");
  scene.health[kOne] = BrokerHealth::stopping;
  CHECK(plan() == "-");
  scene.health[kOne] = BrokerHealth::running;
  std::erase(scene.view.metadata.in_sync, kOne);
  CHECK(plan() == "-");
}

TEST_CASE("partition_plan: somebody asks for whoever has the most") {
  Scene scene;
  const auto plan = [&] { return text_of(plan_unclean_election(scene.view, scene.health)); };
  scene.view.metadata.in_sync = {kOne};
  scene.health[kOne] = BrokerHealth::dead;
  scene.second().log_end = Offset(8);
  scene.third().log_end = Offset(9);
  CHECK(plan() == "elect 3 epoch 6 isr 3 lossy 6: somebody asked for it");
  scene.second().last_epoch = LeaderEpoch(6);
  CHECK(plan() == "elect 2 epoch 6 isr 2 lossy 6: somebody asked for it");
  scene.second().usable = false;
  CHECK(plan() == "elect 3 epoch 6 isr 3 lossy 6: somebody asked for it");
  scene.third().fenced = LeaderEpoch(9);
  CHECK(plan() == "elect 3 epoch 9 isr 3 lossy 9: somebody asked for it");
  scene.third().there = false;
  CHECK(plan() == "-");
}
