#include "core/cluster/health_watch.h"

#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

constexpr BrokerId kBroker{1};
constexpr Duration kSession = 2s, kLook = 20ms;

class Watch {
 public:
  std::string look(const BrokerSigns& signs) {
    return name_of(watch_.look({{kBroker, signs}}, kSession, now).at(kBroker));
  }
  // Looks again and again, while the heart does what `beats` says.
  std::string look_for(Duration time, BrokerSigns& signs, bool beats) {
    std::string health;
    for (const Deadline end = now + time; now < end;) {
      now += kLook;
      if (beats) ++signs.heartbeat;
      health = look(signs);
    }
    return health;
  }
  Deadline now{1h};

 private:
  HealthWatch watch_;
};

const BrokerSigns kRunning{.alive = true, .heartbeat = 7};

}  // namespace

TEST_CASE("health_watch: a broker whose lock is free is dead at once") {
  Watch watch;
  BrokerSigns signs = kRunning;
  CHECK(watch.look_for(100ms, signs, true) == "running");
  signs.alive = false;
  CHECK(watch.look(signs) == "dead");
  signs.alive = true;
  CHECK(watch.look(signs) == "running");
}

TEST_CASE("health_watch: a heart that stands still for longer than the session is that of a hung broker") {
  Watch watch;
  BrokerSigns signs = kRunning;
  CHECK(watch.look(signs) == "running");
  CHECK(watch.look_for(kSession, signs, false) == "running");
  CHECK(watch.look_for(kLook, signs, false) == "hung");
  CHECK(watch.look_for(kLook, signs, true) == "running");
  CHECK(watch.look_for(kSession, signs, false) == "running");
}

TEST_CASE("health_watch: the session's length counts as it is now") {
  HealthWatch watch;
  const std::map<BrokerId, BrokerSigns> signs{{kBroker, kRunning}};
  Deadline now{1h};
  for (int i = 0; i < 10; ++i) watch.look(signs, 10s, now += 100ms);
  CHECK(watch.look(signs, 500ms, now += 1ms).at(kBroker) == BrokerHealth::hung);
}

TEST_CASE("health_watch: an observer that was frozen itself takes nobody for hung") {
  Watch watch;
  BrokerSigns signs = kRunning;
  watch.look_for(100ms, signs, true);
  watch.now += 1h;
  CHECK(watch.look(signs) == "running");
  // What it has watched before counts, and each long pause counts as one look.
  CHECK(watch.look_for(1700ms, signs, false) == "running");
  watch.now += 1h;
  CHECK(watch.look(signs) == "hung");
}

TEST_CASE("health_watch: a broker that died while its heart stood still begins anew") {
  Watch watch;
  BrokerSigns signs = kRunning;
  watch.look_for(kSession, signs, false);
  signs.alive = false;
  CHECK(watch.look_for(kLook, signs, false) == "dead");
  signs.alive = true;
  CHECK(watch.look_for(kSession, signs, false) == "running");
  CHECK(watch.look_for(kLook, signs, false) == "hung");
}

TEST_CASE("health_watch: who has not run since the machine started gets a moment") {
  Watch watch;
  BrokerSigns signs;
  CHECK(watch.look(signs) == "starting");
  CHECK(watch.look_for(HealthWatch::kStartGrace - kLook, signs, false) == "starting");
  CHECK(watch.look_for(kLook, signs, false) == "dead");
  // One that has run does not, whenever it is first seen.
  Watch other;
  signs.heartbeat = 1;
  CHECK(other.look(signs) == "dead");
}

TEST_CASE("health_watch: what a broker says of itself counts while its heart beats") {
  Watch watch;
  BrokerSigns signs = kRunning;
  signs.disk_full = true;
  CHECK(watch.look(signs) == "full");
  signs.stopping = true;
  CHECK(watch.look(signs) == "stopping");
  signs.disk_failed = true;
  CHECK(watch.look(signs) == "failed");
  CHECK(watch.look_for(kSession + kLook, signs, false) == "hung");
  signs.alive = false;
  CHECK(watch.look(signs) == "dead");
}

TEST_CASE("health_watch: each broker has a heart of its own") {
  HealthWatch watch;
  std::map<BrokerId, BrokerSigns> signs{{BrokerId(1), kRunning}, {BrokerId(2), kRunning}};
  Deadline now{1h};
  ClusterHealth health;
  for (int i = 0; i <= 22; ++i) {
    ++signs[BrokerId(2)].heartbeat;
    health = watch.look(signs, kSession, now += 100ms);
  }
  CHECK(health.at(BrokerId(1)) == BrokerHealth::hung);
  CHECK(health.at(BrokerId(2)) == BrokerHealth::running);
}
