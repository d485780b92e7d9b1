// A home's brokers: Home::init, their log directories, where new topics go.
#include <algorithm>

#include "core/format/path_names.h"
#include "core/store/find_or_create.h"
#include "core/store/metadata_json.h"
#include "tests/support/plan_scene.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

const std::vector<BrokerMetadata> kThree{{BrokerId(0)}, {BrokerId(1)}, {BrokerId(2)}};

struct Brokers {
  explicit Brokers(Machine machine = Machine::memory) : env(machine), path(env.root() + "/home") {}

  Result<> try_init(const std::vector<BrokerMetadata>& brokers, const ConfigMap& config = {}) {
    return Home::init(env.env(), path, brokers, config);
  }
  void init(const std::vector<BrokerMetadata>& brokers = kThree, const ConfigMap& config = {}) {
    must(try_init(brokers, config));
  }
  std::unique_ptr<Home> open() { return must(Home::open(env.env(), path)); }
  ClusterMetadata cluster() { return must(open()->describe_cluster()); }
  std::string properties(const std::string& directory) {
    return must(env.files.read_all(names::meta_properties(directory)));
  }
  // The brokers that have a directory of this partition.
  std::string holders(const std::string& topic, int32_t partition = 0) {
    const auto home = open();
    std::vector<BrokerId> found;
    for (const BrokerId broker : home->broker_ids()) {
      if (exists(env.files, names::partition_directory(home->log_directory(broker), {topic, PartitionId(partition)})))
        found.push_back(broker);
    }
    return ids_of(found);
  }

  TestEnv env;
  std::string path;
};

}  // namespace

TEST_CASE("home: init makes a cluster with a log directory for each broker") {
  for (const Machine machine : kEveryMachine) {
    Brokers t(machine);
    must(t.env.files.make_directory(t.env.root() + "/disk"));
    t.init({{BrokerId(2), t.env.root() + "/disk/two"}, {BrokerId(0)}, {BrokerId(1)}},
           {{"broker.session.timeout.ms", "3000"}});
    const ClusterMetadata cluster = t.cluster();
    CHECK((cluster.brokers ==
           std::vector<BrokerMetadata>{{BrokerId(0)}, {BrokerId(1)}, {BrokerId(2), t.env.root() + "/disk/two"}}));
    CHECK(cluster.config == ConfigMap{{"broker.session.timeout.ms", "3000"}});
    const std::string id = uuid_text(cluster.id);
    CHECK(t.properties(t.path + "/brokers/1") == "version=1\nbroker.id=1\ncluster.id=" + id + "\n");
    CHECK(t.properties(t.env.root() + "/disk/two") == "version=1\nbroker.id=2\ncluster.id=" + id + "\n");
    const auto home = t.open();
    CHECK(home->log_directory(BrokerId(2)) == t.env.root() + "/disk/two");
    for (const BrokerId broker : home->broker_ids()) CHECK(home->check_log_directory(broker));
  }
}

TEST_CASE("home: init again changes nothing") {
  Brokers t;
  t.init();
  const ClusterMetadata before = t.cluster();
  t.init();
  t.init(kThree, {});
  CHECK(t.cluster().version == before.version);
  CHECK(t.cluster().id == before.id);
  CHECK(t.cluster().brokers == before.brokers);
}

TEST_CASE("home: brokers are added to a home that has topics, which stay where they are") {
  Brokers t;
  {
    const auto home = t.open();
    const auto log = must(home->open_partition(must(home->create_topic("old", 1, {}, t.env.soon())), PartitionId(0),
                                               Access::read_write, t.env.soon()));
    append_numbers(*log, 0, 3);
  }
  const Uuid id = t.cluster().id;
  t.init();
  CHECK(t.cluster().id == id);
  CHECK(t.holders("old") == "0");
  const auto home = t.open();
  const TopicMetadata old = must(home->describe_topic("old"));
  CHECK_FALSE(old.partitions[0].is_replicated());
  const auto log = must(home->open_partition(old, PartitionId(0), Access::read_write, t.env.soon()));
  append_numbers(*log, 3, 1);
  CHECK(contents(*log) == numbers(0, 4));
  must(home->create_topic("new", 1, {}, t.env.soon()));
  CHECK(t.holders("new") == "0,1,2");
  // More partitions of the old one are like those that it has.
  const TopicMetadata altered = must(t.open()->alter_topic("old", {.partitions = 4}, t.env.soon()));
  for (const auto& partition : altered.partitions) CHECK(partition.replicas.size() == 1);
}

TEST_CASE("home: whoever has the home open sees new brokers when it asks") {
  Brokers t;
  const auto home = t.open();
  CHECK(home->broker_ids() == std::vector{BrokerId(0)});
  t.init();
  CHECK(must(home->find_broker(BrokerId(2))).id == BrokerId(2));
  CHECK(home->broker_ids().size() == 3);
}

TEST_CASE("home: what init refuses, and says why") {
  Brokers t;
  t.init({{BrokerId(0)}, {BrokerId(1)}});
  const auto refused = [&](const std::vector<BrokerMetadata>& brokers, Errc code, const std::string& what,
                           const ConfigMap& config = {}) {
    const auto done = t.try_init(brokers, config);
    REQUIRE(code_of(done) == code);
    CHECK(done.error().what.find(what) != std::string::npos);
    CHECK(t.cluster().version == 2);
  };
  refused({}, Errc::invalid_argument, "a cluster has 1 to ");
  refused({{BrokerId(0)}}, Errc::invalid_argument, "the cluster has the brokers 0, 1: none can be removed");
  refused({{BrokerId(0)}, {BrokerId(1), "/elsewhere"}}, Errc::already_exists,
          "broker 1 has the log directory " + t.path + "/brokers/1 already");
  refused(kThree, Errc::invalid_argument, "unknown config 'nonsense'", {{"nonsense", "1"}});
  refused({{BrokerId(0)}, {BrokerId(1)}}, Errc::invalid_argument, "twice", {{"broker.heartbeat.interval.ms", "5000"}});
}

TEST_CASE("home: a log directory that is another broker's, or another cluster's, is refused") {
  Brokers t;
  const std::string disk = t.env.root() + "/disk";
  t.init({{BrokerId(0)}, {BrokerId(1), disk}});
  const auto taken = t.try_init({{BrokerId(0)}, {BrokerId(1), disk}, {BrokerId(2), disk}});
  REQUIRE(code_of(taken) == Errc::already_exists);
  CHECK(taken.error().what == "the log directory belongs to broker 1 of this cluster");
  CHECK(t.cluster().brokers.size() == 2);
  const auto foreign = Home::init(t.env.env(), t.env.root() + "/other", {{BrokerId(0)}, {BrokerId(1), disk}}, {});
  REQUIRE(code_of(foreign) == Errc::already_exists);
  CHECK(foreign.error().what == "the log directory belongs to broker 1 of another cluster");
}

TEST_CASE("home: init that was interrupted anywhere is completed by the next") {
  for (int64_t nth = 1;; ++nth) {
    CAPTURE(nth);
    Brokers t;
    t.open();
    t.env.files.arm({.nth = nth});
    const auto done = t.try_init(kThree);
    const bool fired = t.env.files.fired() > 0;
    t.env.files.disarm();
    if (!fired) must(done);
    t.init();
    CHECK(t.cluster().brokers == kThree);
    const auto home = t.open();
    for (const BrokerId broker : home->broker_ids()) CHECK(home->check_log_directory(broker));
    if (!fired) break;
  }
}

TEST_CASE("home: a log directory that is not there, or not the broker's, is told apart") {
  Brokers t;
  t.init();
  const auto home = t.open();
  const std::string one = home->log_directory(BrokerId(1)), two = home->log_directory(BrokerId(2));
  const std::string was = t.properties(one);
  must(t.env.files.replace(names::meta_properties(one), t.properties(two)));
  const auto swapped = home->check_log_directory(BrokerId(1));
  REQUIRE(code_of(swapped) == Errc::already_exists);
  CHECK(swapped.error().what == "the log directory belongs to broker 2 of this cluster");
  CHECK(code_of(find_or_create_topic(*home, "t", {}, t.env.soon())) == Errc::already_exists);
  must(t.env.files.unlink(names::meta_properties(one)));
  CHECK(code_of(home->check_log_directory(BrokerId(1))) == Errc::not_found);
  // Nothing is put there.
  const auto created = home->create_topic("t", 1, {}, t.env.soon());
  CHECK(code_of(created) == Errc::not_found);
  const auto wanted = find_or_create_topic(*home, "t", {}, t.env.soon());
  REQUIRE(code_of(wanted) == Errc::not_found);
  CHECK(wanted.error().what.find("is its disk mounted?") != std::string::npos);
  CHECK(code_of(home->describe_topic("t")) == Errc::not_found);
  must(t.env.files.replace(names::meta_properties(one), was));
  const TopicMetadata made = must(find_or_create_topic(*home, "t", {}, t.env.soon()));
  CHECK(t.holders("t") == "0,1,2");
  CHECK(must(find_or_create_topic(*home, "t", {}, t.env.soon())).id == made.id);
}

TEST_CASE("home: no broker that the cluster has not got") {
  Brokers t;
  t.init();
  const auto found = t.open()->find_broker(BrokerId(7));
  REQUIRE(code_of(found) == Errc::not_found);
  CHECK(found.error().what == "there is no broker 7: the cluster has 0, 1, 2");
  CHECK_FALSE(must(t.open()->is_broker_alive(BrokerId(7))));
}

TEST_CASE("home: a broker lives while somebody holds its lock") {
  Brokers t;
  t.init();
  const auto home = t.open();
  CHECK_FALSE(must(home->is_broker_alive(BrokerId(1))));
  must(t.env.files.make_directories(names::locks_directory(t.path)));
  const auto lock = must(t.env.files.open_lock(names::broker_lock(t.path, BrokerId(1)), Access::read_write));
  CHECK_FALSE(must(home->is_broker_alive(BrokerId(1))));
  REQUIRE(must(lock->try_lock(0, LockMode::exclusive)));
  CHECK(must(home->is_broker_alive(BrokerId(1))));
  CHECK_FALSE(must(home->is_broker_alive(BrokerId(2))));
  lock->unlock(0);
  CHECK_FALSE(must(home->is_broker_alive(BrokerId(1))));
}

TEST_CASE("home: as many replicas as wanted, but no more than there are brokers") {
  Brokers t;
  t.init();
  const auto home = t.open();
  const auto create = [&](const std::string& topic, int32_t factor) {
    return home->create_topic(topic, 2, {}, t.env.soon(), factor);
  };
  for (const auto& [factor, what] : {std::pair{4, "replication factor 4: the cluster has 3 brokers"},
                                     {0, "replication factor 0: the cluster has 3 brokers"},
                                     {17, "replication factor 17: at most 16"}}) {
    const auto refused = create("t", factor);
    REQUIRE(code_of(refused) == Errc::invalid_argument);
    CHECK(refused.error().what == what);
  }
  for (int32_t factor = 1; factor <= 3; ++factor) {
    const std::string name = "t" + std::to_string(factor);
    const TopicMetadata topic = must(create(name, factor));
    for (const auto& partition : topic.partitions) {
      CHECK(std::cmp_equal(partition.replicas.size(), factor));
      CHECK(partition.leader == partition.replicas.front());
      CHECK(partition.in_sync == partition.replicas);
      CHECK(partition.leader_epoch == LeaderEpoch(0));
    }
    must(home->delete_topic(name, t.env.soon()));
    CHECK(t.holders(name) == "");
  }
}

TEST_CASE("home: cluster configs are changed one by one") {
  Brokers t;
  t.init(kThree, {{"replica.lag.time.max.ms", "500"}});
  const auto home = t.open();
  const ClusterMetadata altered = must(home->alter_cluster({{"broker.session.timeout.ms", "3000"}}));
  CHECK((altered.config == ConfigMap{{"broker.session.timeout.ms", "3000"}, {"replica.lag.time.max.ms", "500"}}));
  const int64_t version = t.cluster().version;
  must(home->alter_cluster({{"broker.session.timeout.ms", "3000"}}));
  CHECK(t.cluster().version == version);
  CHECK(code_of(home->alter_cluster({{"broker.session.timeout.ms", "1"}})) == Errc::invalid_argument);
  CHECK(code_of(home->alter_cluster({{"broker.heartbeat.interval.ms", "2000"}})) == Errc::invalid_argument);
  CHECK(t.cluster().config == altered.config);
}

TEST_CASE("home: of two who change a topic's metadata at once, one is first") {
  Brokers t;
  t.init();
  const auto home = t.open();
  TopicMetadata topic = must(home->create_topic("t", 1, {}, t.env.soon()));
  TopicMetadata other = topic;
  ++topic.version;
  ++other.version;
  topic.partitions[0].leader_epoch = LeaderEpoch(1);
  other.partitions[0].leader_epoch = LeaderEpoch(2);
  const auto state = home->cluster_state();
  const WakeWord word = state->metadata_word();
  CHECK(must(home->replace_topic(topic)));
  CHECK(word.word->load() != word.seen);
  CHECK_FALSE(must(home->replace_topic(other)));
  CHECK(must(home->describe_topic("t")).partitions[0] == topic.partitions[0]);
}
