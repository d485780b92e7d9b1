// What the controller does about a partition of brokers 1, 2 and 3, of which 1 leads in epoch 5: what follows from one
// look.
#include "core/cluster/partition_plan.h"

#include <functional>

#include "tests/support/plan_scene.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

using Scene = PlanScene;
constexpr BrokerId kOne = Scene::kOne, kTwo = Scene::kTwo, kThree = Scene::kThree;

struct Row {
  const char* what;
  std::function<void(Scene&)> arrange;
  const char* plan;
};

const Row kElections[] = {
    {"all is well", [](Scene&) {}, "-"},
    {"the leader's broker is dead", [](Scene& s) { s.health[kOne] = BrokerHealth::dead; },
     "elect 2 epoch 6 isr 2,3 after 1: its broker is dead"},
    {"nobody knows that broker", [](Scene& s) { s.health.erase(kOne); },
     "elect 2 epoch 6 isr 2,3 after 1: its broker is dead"},
    {"the leader's broker is hung", [](Scene& s) { s.health[kOne] = BrokerHealth::hung; },
     "elect 2 epoch 6 isr 2,3 after 1: its broker is hung"},
    {"its disk failed", [](Scene& s) { s.health[kOne] = BrokerHealth::failed; },
     "elect 2 epoch 6 isr 2,3 after 1: its broker is failed"},
    {"it is stopping, and stays in sync", [](Scene& s) { s.health[kOne] = BrokerHealth::stopping; },
     "elect 2 epoch 6 isr 1,2,3 after 1: its broker is stopping"},
    {"its disk is full", [](Scene& s) { s.health[kOne] = BrokerHealth::full; },
     "elect 2 epoch 6 isr 1,2,3 after 1: its disk is full"},
    {"there was no room for a batch", [](Scene& s) { s.first().full = true; },
     "elect 2 epoch 6 isr 1,2,3 after 1: its disk is full"},
    {"it is only starting", [](Scene& s) { s.health[kOne] = BrokerHealth::starting; }, "-"},
    {"its log is gone", [](Scene& s) { s.first() = {}; }, "elect 2 epoch 6 isr 2,3 after 1: its log is gone"},
    {"its log is damaged", [](Scene& s) { s.first().usable = false; },
     "elect 2 epoch 6 isr 2,3 after 1: its log is damaged"},
    {"it was fenced by an election that went no further", [](Scene& s) { s.first().fenced = LeaderEpoch(6); },
     "elect 1 epoch 6 isr 1,2,3: it was fenced"},
    {"the same, and it is dead",
     [](Scene& s) { s.first().fenced = LeaderEpoch(8), s.health[kOne] = BrokerHealth::dead; },
     "elect 2 epoch 8 isr 2,3 after 1: its broker is dead"},
    {"its page was made anew", [](Scene& s) { s.first().leads = false; },
     "elect 1 epoch 6 isr 1,2,3: its state was lost"},
    {"its machine restarted", [](Scene& s) { s.first().leads = false, s.first().unclean = true; },
     "elect 2 epoch 6 isr 2,3 after 1: its machine stopped before its log was on stable storage"},
    {"it is about to open its epoch", [](Scene& s) { s.first().leads = false, s.first().epoch = LeaderEpoch(4); }, "-"},
    {"it died before it opened its epoch, and may have led before",
     [](Scene& s) { s.first().leads = false, s.first().epoch = LeaderEpoch(4), s.health[kOne] = BrokerHealth::dead; },
     "elect 2 epoch 6 isr 2,3 after 1: its broker is dead"},
    {"it died before that, and another one before it may have had more",
     [](Scene& s) {
       s.first().leads = false, s.first().epoch = LeaderEpoch(4), s.health[kOne] = BrokerHealth::dead,
       s.view.metadata.previous_leader = kThree;
     },
     "elect 2 epoch 6 isr 2,3 after 3: its broker is dead"},
    {"the new leader is the one that may have had more",
     [](Scene& s) {
       s.first().leads = false, s.first().epoch = LeaderEpoch(4), s.health[kOne] = BrokerHealth::dead,
       s.view.metadata.previous_leader = kTwo;
     },
     "elect 2 epoch 6 isr 2,3: its broker is dead"},
    {"its log is gone before anybody has followed it, and another one before it may have had more",
     [](Scene& s) {
       s.first() = {};
       s.second().epoch = s.third().epoch = LeaderEpoch(4);
       s.view.metadata.previous_leader = kThree;
     },
     "elect 2 epoch 6 isr 2,3 after 3: its log is gone"},
    {"its page lacks the bit of a replica in sync", [](Scene& s) { s.first().in_sync.mask = 0b101; },
     "elect 1 epoch 6 isr 1,2,3: its page lacks a replica in sync"},
    {"somebody has heard of a higher epoch",
     [](Scene& s) { s.third().epoch = LeaderEpoch(9), s.health[kOne] = BrokerHealth::dead; },
     "elect 2 epoch 10 isr 2,3 after 1: its broker is dead"},
    {"it has no replica", [](Scene& s) { s.view.metadata.leader = BrokerId(7); },
     "elect 1 epoch 6 isr 1,2,3 after 7: it has no replica"},
};

const Row kCandidates[] = {
    {"the first in sync leads", [](Scene& s) { s.out_of_sync(kTwo); },
     "elect 3 epoch 6 isr 3 after 1: its broker is dead"},
    {"one that is dead does not", [](Scene& s) { s.health[kTwo] = BrokerHealth::dead; },
     "elect 3 epoch 6 isr 3 after 1: its broker is dead"},
    {"one that is hung does not", [](Scene& s) { s.health[kTwo] = BrokerHealth::hung; },
     "elect 3 epoch 6 isr 3 after 1: its broker is dead"},
    {"nor one whose machine restarted", [](Scene& s) { s.second().unclean = true; },
     "elect 3 epoch 6 isr 3 after 1: its broker is dead"},
    {"nor one whose log is gone", [](Scene& s) { s.second().there = false; },
     "elect 3 epoch 6 isr 3 after 1: its broker is dead"},
    {"nor one whose log is damaged", [](Scene& s) { s.second().usable = false; },
     "elect 3 epoch 6 isr 3 after 1: its broker is dead"},
    {"nor one without room", [](Scene& s) { s.second().full = true; },
     "elect 3 epoch 6 isr 2,3 after 1: its broker is dead"},
    {"nor one that stops, while there is another", [](Scene& s) { s.health[kTwo] = BrokerHealth::stopping; },
     "elect 3 epoch 6 isr 2,3 after 1: its broker is dead"},
    {"better one that stops than none",
     [](Scene& s) { s.health[kTwo] = BrokerHealth::stopping, s.health[kThree] = BrokerHealth::dead; },
     "elect 2 epoch 6 isr 2 after 1: its broker is dead"},
    {"better one without room than none",
     [](Scene& s) { s.second().full = true, s.health[kThree] = BrokerHealth::dead; },
     "elect 2 epoch 6 isr 2 after 1: its broker is dead"},
    {"one that starts has not begun", [](Scene& s) { s.health[kTwo] = s.health[kThree] = BrokerHealth::starting; },
     "-"},
    {"nobody is left", [](Scene& s) { s.health[kTwo] = s.health[kThree] = BrokerHealth::dead; }, "-"},
    {"who is out of sync never leads by itself", [](Scene& s) { s.out_of_sync(kTwo), s.out_of_sync(kThree); }, "-"},
};

const Row kPowerCuts[] = {
    {"all are back: the first of the equal ones", [](Scene&) {},
     "elect 1 epoch 6 isr 1 lossy 6: its machine stopped before its log was on stable storage"},
    {"the longest log", [](Scene& s) { s.second().log_end = Offset(11); },
     "elect 2 epoch 6 isr 2 lossy 6: its machine stopped before its log was on stable storage"},
    {"the latest epoch, before the longest log",
     [](Scene& s) { s.second().log_end = Offset(20), s.third().last_epoch = LeaderEpoch(6); },
     "elect 3 epoch 6 isr 3 lossy 6: its machine stopped before its log was on stable storage"},
    {"one is not back yet", [](Scene& s) { s.health[kThree] = BrokerHealth::starting; }, "-"},
    {"one is dead", [](Scene& s) { s.health[kThree] = BrokerHealth::dead; }, "-"},
    {"the leader is dead", [](Scene& s) { s.health[kOne] = BrokerHealth::dead; }, "-"},
    {"one is gone", [](Scene& s) { s.third().there = false; }, "-"},
    {"one is damaged", [](Scene& s) { s.third().usable = false; }, "-"},
    {"one was out of sync: nobody waits for it",
     [](Scene& s) { s.out_of_sync(kThree), s.health[kThree] = BrokerHealth::dead, s.second().log_end = Offset(11); },
     "elect 2 epoch 6 isr 2 lossy 6: its machine stopped before its log was on stable storage"},
    {"what is out of sync does not lead, however long it is",
     [](Scene& s) { s.out_of_sync(kThree), s.third().log_end = Offset(90); },
     "elect 1 epoch 6 isr 1 lossy 6: its machine stopped before its log was on stable storage"},
    {"one is clean: it leads, and the others are filled again",
     [](Scene& s) { s.third().unclean = false, s.second().log_end = Offset(11); },
     "elect 3 epoch 6 isr 3 after 1: its machine stopped before its log was on stable storage"},
    {"the clean one is the leader", [](Scene& s) { s.first().unclean = false; },
     "elect 1 epoch 6 isr 1: its state was lost"},
    {"the clean one is out of sync", [](Scene& s) { s.third().unclean = false, s.out_of_sync(kThree); },
     "elect 1 epoch 6 isr 1 lossy 6: its machine stopped before its log was on stable storage"},
};

const Row kShrinks[] = {
    {"a follower is dead", [](Scene& s) { s.health[kThree] = BrokerHealth::dead; },
     "shrink 3 isr 1,2: its broker is dead"},
    {"a follower is hung", [](Scene& s) { s.health[kTwo] = BrokerHealth::hung; },
     "shrink 2 isr 1,3: its broker is hung"},
    {"its disk failed", [](Scene& s) { s.health[kTwo] = BrokerHealth::failed; },
     "shrink 2 isr 1,3: its broker is failed"},
    {"it stops", [](Scene& s) { s.health[kTwo] = BrokerHealth::stopping; }, "shrink 2 isr 1,3: its broker is stopping"},
    {"it starts", [](Scene& s) { s.health[kTwo] = BrokerHealth::starting; }, "-"},
    {"its log is gone", [](Scene& s) { s.second() = {}; }, "shrink 2 isr 1,3: its log is gone"},
    {"its log is damaged", [](Scene& s) { s.second().usable = false; }, "shrink 2 isr 1,3: its log is damaged"},
    {"its machine restarted", [](Scene& s) { s.second().unclean = true; },
     "shrink 2 isr 1,3: its machine stopped before its log was on stable storage"},
    {"it has no room", [](Scene& s) { s.second().full = true; }, "shrink 2 isr 1,3: its disk is full"},
    {"its broker has little room, but it keeps up", [](Scene& s) { s.health[kTwo] = BrokerHealth::full; }, "-"},
    {"two at once leave one after the other", [](Scene& s) { s.health[kTwo] = s.health[kThree] = BrokerHealth::dead; },
     "shrink 2 isr 1,3: its broker is dead"},
    {"it left the metadata, and its bit is there still",
     [](Scene& s) { std::erase(s.view.metadata.in_sync, kTwo), s.health[kTwo] = BrokerHealth::dead; },
     "shrink 2 isr 1,3: its broker is dead"},
    {"it is out already", [](Scene& s) { s.out_of_sync(kTwo), s.health[kTwo] = BrokerHealth::dead; }, "-"},
};

template <size_t N>
void check_rows(const Row (&rows)[N], const std::function<void(Scene&)>& before = {}) {
  for (const Row& row : rows) {
    CAPTURE(std::string(row.what));
    Scene scene;
    if (before) before(scene);
    row.arrange(scene);
    CHECK(scene.plan() == row.plan);
  }
}

}  // namespace

TEST_CASE("partition_plan: when a leader is replaced, and by whom") { check_rows(kElections); }

TEST_CASE("partition_plan: who may lead when the leader is dead") {
  check_rows(kCandidates, [](Scene& scene) { scene.health[kOne] = BrokerHealth::dead; });
}

TEST_CASE("partition_plan: after a power cut the one with the most leads, once all in sync are back") {
  check_rows(kPowerCuts, [](Scene& scene) { scene.power_cut(); });
}

TEST_CASE("partition_plan: which replicas leave the ISR") { check_rows(kShrinks); }

TEST_CASE("partition_plan: a leader that stops goes on while nobody can take its place, and so does the ISR") {
  Scene scene;
  scene.health[kOne] = scene.health[kTwo] = BrokerHealth::stopping;
  scene.health[kThree] = BrokerHealth::full;
  CHECK(scene.plan() == "-");
  scene.health[kThree] = BrokerHealth::dead;
  CHECK(scene.plan() == "-");
}

// Else nothing more would be committed, and nobody could ever take its place.
TEST_CASE("partition_plan: while a leader without room goes on, replicas leave and join") {
  Scene scene;
  scene.first().full = true;
  scene.second().full = true;
  scene.health[kThree] = BrokerHealth::dead;
  scene.out_of_sync(kTwo);
  CHECK(scene.plan() == "shrink 3 isr 1: its broker is dead");
  scene.out_of_sync(kThree);
  CHECK(scene.plan() == "-");
  scene.health[kThree] = BrokerHealth::running;
  CHECK(scene.plan() == "join 3 isr 1: it has what the leader has");
}

TEST_CASE("partition_plan: a damaged leader that is alone in sync is followed, until one has joined that can lead") {
  Scene scene;
  scene.first().usable = false;
  scene.out_of_sync(kTwo);
  scene.out_of_sync(kThree);
  scene.health[kTwo] = BrokerHealth::dead;
  CHECK(scene.plan() == "-");
  CHECK(scene.plan() == "join 3 isr 1: it has what the leader has");
  scene.view.metadata.in_sync = {kOne, kThree};
  scene.first().in_sync.mask = 0b101;
  CHECK(scene.plan() == "elect 3 epoch 6 isr 3 after 1: its log is damaged");
}

TEST_CASE("partition_plan: nobody joins a leader that has still to open its epoch") {
  Scene scene;
  scene.out_of_sync(kThree);
  scene.plan();
  scene.view.metadata.leader_epoch = LeaderEpoch(6);
  CHECK(scene.plan() == "-");
  CHECK(scene.plan() == "-");
}
