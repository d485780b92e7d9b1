#include "core/store/home.h"

#include <algorithm>
#include <thread>

#include "core/format/path_names.h"
#include "core/store/metadata_json.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

struct HomeFixture {
  explicit HomeFixture(Machine machine = Machine::memory) : env(machine), path(env.root() + "/home"), home(open()) {}

  std::unique_ptr<Home> open() {
    auto opened = must(Home::open(env.env(), path));
    must(opened->make());
    return opened;
  }
  TopicMetadata create(const std::string& name, int32_t partitions = 1) {
    return must(home->create_topic(name, partitions, {}, env.soon()));
  }
  std::unique_ptr<PartitionLog> log(const TopicMetadata& topic, int32_t partition = 0) {
    return must(home->open_partition(topic, PartitionId(partition), Access::read_write, env.soon()));
  }
  std::string logs() const { return path + "/brokers/0"; }
  std::string topic_path(const std::string& name, int64_t version) const {
    return names::versioned(names::topic_file(path, name), version);
  }
  // The directories in the log directory.
  std::vector<std::string> partitions() {
    std::vector<std::string> found;
    for (const auto& name : must(env.files.list(logs()))) {
      if (must(env.files.info(logs() + "/" + name)).is_directory) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  TestEnv env;
  std::string path;
  std::unique_ptr<Home> home;
};

}  // namespace

TEST_CASE("home: the first use makes a cluster of one broker, the next ones find it") {
  for (const Machine machine : kEveryMachine) {
    HomeFixture t(machine);
    const std::string cluster = must(t.env.files.read_all(t.path + "/cluster.json.v1"));
    const ClusterMetadata parsed = must(parse_cluster(cluster));
    CHECK((parsed.brokers == std::vector<BrokerMetadata>{{BrokerId(0)}}));
    CHECK(must(t.env.files.read_all(t.logs() + "/meta.properties")) ==
          "version=1\nbroker.id=0\ncluster.id=" + uuid_text(parsed.id) + "\n");
    CHECK(must(t.home->list_topics()).empty());
    t.open();
    CHECK(must(t.env.files.read_all(t.path + "/cluster.json.v1")) == cluster);
    CHECK_FALSE(exists(t.env.files, t.path + "/cluster.json.v2"));
  }
}

TEST_CASE("home: a home on a network file system is refused before anything is stored") {
  TestEnv env;
  env.memory.pretend_remote("NFS");
  const Error error = error_of(Home::open(env.env(), env.root() + "/home"));
  CHECK(error.code == Errc::io);
  CHECK(error.what ==
        "cannot make the home: the home is on NFS, which is not supported yet: use --home with a local disk");
  CHECK_FALSE(exists(env.files, env.root() + "/home"));

  env.memory.pretend_remote("");
  must(must(Home::open(env.env(), env.root() + "/home"))->make());
  env.memory.pretend_remote("NFS");
  CHECK(error_of(Home::open(env.env(), env.root() + "/home")).what ==
        "the home is on NFS, which is not supported yet: use --home with a local disk");
}

TEST_CASE("home: many first users make one cluster") {
  TestEnv env(Machine::disk);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { must(must(Home::open(env.env(), env.root() + "/home"))->make()); });
  }
  for (auto& thread : threads) thread.join();
  CHECK(exists(env.files, env.root() + "/home/cluster.json.v1"));
  CHECK_FALSE(exists(env.files, env.root() + "/home/cluster.json.v2"));
}

TEST_CASE("home: opening may fail at any call, and is then just done again") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 3});
    (void)Home::open(env.env(), env.root() + "/home").and_then([](auto opened) { return opened->make(); });
    env.files.disarm();
    const auto home = must(Home::open(env.env(), env.root() + "/home"));
    must(home->create_topic("t", 1, {}, env.soon()));
    if (env.files.fired() == 0) {
      CHECK(n > 10);
      break;
    }
  }
}

TEST_CASE("home: damaged and newer cluster metadata") {
  HomeFixture t;
  const std::string path = t.path + "/cluster.json.v1", good = must(t.env.files.read_all(path));
  overwrite(t.env.files, path, good.substr(0, good.size() / 2));
  const Error damaged = error_of(Home::open(t.env.env(), t.path));
  CHECK(damaged.code == Errc::corrupt);
  CHECK(damaged.path == path);
  std::string newer = good;
  newer.replace(newer.find("\"incompatible\": 0"), 17, "\"incompatible\": 1");
  overwrite(t.env.files, path, newer);
  CHECK(code_of(Home::open(t.env.env(), t.path)) == Errc::unsupported_version);
}

TEST_CASE("home: a home that a newer version has added to may be read and not written") {
  HomeFixture t;
  append(*t.log(t.create("t")), {"a"});
  const std::string path = t.path + "/cluster.json.v1";
  std::string newer = must(t.env.files.read_all(path));
  newer.replace(newer.find("\"read_only_compatible\": 0"), 25, "\"read_only_compatible\": 1");
  overwrite(t.env.files, path, newer);
  t.home = t.open();
  CHECK(code_of(t.home->create_topic("u", 1, {}, t.env.soon())) == Errc::unsupported_version);
  CHECK(code_of(t.home->delete_topic("t", t.env.soon())) == Errc::unsupported_version);
  const auto log = t.log(must(t.home->describe_topic("t")));
  CHECK(contents(*log) == "0:a");
  CHECK_FALSE(try_append(*log, {"b"}).has_value());
}

TEST_CASE("home: topics are made, listed, described and deleted") {
  for (const Machine machine : kEveryMachine) {
    HomeFixture t(machine);
    ConfigMap config{{"segment.ms", "5"}};
    const TopicMetadata made = must(t.home->create_topic("b-topic", 3, config, t.env.soon()));
    t.create("a.topic");
    t.create("_internal");
    CHECK(must(t.home->list_topics()) == std::vector<std::string>{"_internal", "a.topic", "b-topic"});
    const TopicMetadata topic = must(t.open()->describe_topic("b-topic"));
    CHECK(topic.id == made.id);
    CHECK((topic.config == config));
    REQUIRE(topic.partitions.size() == 3);
    CHECK((topic.partitions[2].leader == BrokerId(0)));
    CHECK(t.partitions() ==
          std::vector<std::string>{"_internal-0", "a.topic-0", "b-topic-0", "b-topic-1", "b-topic-2"});
    append(*t.log(topic, 2), {"x"});
    CHECK(code_of(t.home->open_partition(topic, PartitionId(3), Access::read_write, t.env.soon())) == Errc::not_found);
    CHECK(code_of(t.home->open_partition(topic, PartitionId(-1), Access::read_write, t.env.soon())) == Errc::not_found);

    must(t.home->delete_topic("b-topic", t.env.soon()));
    CHECK(must(t.home->list_topics()) == std::vector<std::string>{"_internal", "a.topic"});
    CHECK(code_of(t.home->describe_topic("b-topic")) == Errc::not_found);
    CHECK(code_of(t.home->delete_topic("b-topic", t.env.soon())) == Errc::not_found);
    CHECK(code_of(t.home->open_partition(topic, PartitionId(0), Access::read_write, t.env.soon())) == Errc::not_found);
    CHECK(t.partitions() == std::vector<std::string>{"_internal-0", "a.topic-0"});
  }
}

TEST_CASE("home: what cannot be made") {
  HomeFixture t;
  t.create("t");
  CHECK(code_of(t.home->create_topic("t", 1, {}, t.env.soon())) == Errc::already_exists);
  CHECK(code_of(t.home->create_topic("a/b", 1, {}, t.env.soon())) == Errc::invalid_argument);
  CHECK(code_of(t.home->create_topic("..", 1, {}, t.env.soon())) == Errc::invalid_argument);
  CHECK(code_of(t.home->create_topic("u", 0, {}, t.env.soon())) == Errc::invalid_argument);
  CHECK(code_of(t.home->create_topic("u", kPartitionsMax + 1, {}, t.env.soon())) == Errc::invalid_argument);
  CHECK_FALSE(t.home->create_topic("u", 1, {{"segment.bytes", "x"}}, t.env.soon()).has_value());
  CHECK(code_of(t.home->describe_topic("../cluster")) == Errc::invalid_argument);
  CHECK(code_of(t.home->delete_topic("none", t.env.soon())) == Errc::not_found);
  CHECK(must(t.home->list_topics()) == std::vector<std::string>{"t"});
}

TEST_CASE("home: a topic with the longest name lives and dies") {
  for (const Machine machine : kEveryMachine) {
    HomeFixture t(machine);
    const std::string name(249, 'n');
    const TopicMetadata topic = t.create(name, 2);
    append(*t.log(topic, 1), {"x"});
    CHECK(must(t.home->list_topics()) == std::vector<std::string>{name});
    must(t.home->delete_topic(name, t.env.soon()));
    CHECK(t.partitions().empty());
  }
}

TEST_CASE("home: a topic made again is another one, and empty") {
  for (const Machine machine : kEveryMachine) {
    HomeFixture t(machine);
    const TopicMetadata first = t.create("t", 2);
    const auto producer = t.log(first);
    append(*producer, {"old"});
    must(LogDirectory(t.env.env(), t.logs()).raise_recovery_points({{{"t", PartitionId(0)}, Offset(1)}}, t.env.soon()));
    must(t.home->delete_topic("t", t.env.soon()));
    const TopicMetadata second = t.create("t");
    CHECK(second.id != first.id);
    CHECK(contents(*t.log(second)) == "");
    CHECK(must(LogDirectory(t.env.env(), t.logs()).recovery_point({"t", PartitionId(0)})) == Offset(0));
    CHECK(code_of(try_append(*producer, {"stray"})) == Errc::not_found);
    CHECK(code_of(t.home->open_partition(first, PartitionId(0), Access::read_write, t.env.soon())) == Errc::not_found);
    CHECK(t.partitions() == std::vector<std::string>{"t-0"});
  }
}

TEST_CASE("home: damaged topic metadata names its file, and only its own topic is affected") {
  HomeFixture t;
  const TopicMetadata good = t.create("good");
  t.create("bad");
  overwrite(t.env.files, t.topic_path("bad", 1), "{\"format\":1,");
  const Error error = error_of(t.home->describe_topic("bad"));
  CHECK(error.code == Errc::corrupt);
  CHECK(error.path == t.topic_path("bad", 1));
  CHECK(must(t.home->describe_topic("good")).id == good.id);
}

TEST_CASE("home: a topic of a newer version is refused, or only read") {
  HomeFixture t;
  const TopicMetadata topic = t.create("t");
  append(*t.log(topic), {"a"});
  const std::string text = must(t.env.files.read_all(t.topic_path("t", 1)));
  const auto with = [&](std::string_view name) {
    std::string changed = text;
    const std::string field = "\"" + std::string(name) + "\":0";
    changed.replace(changed.find(field), field.size(), "\"" + std::string(name) + "\":4");
    overwrite(t.env.files, t.topic_path("t", 1), changed);
  };
  with("incompatible");
  CHECK(code_of(t.home->describe_topic("t")) == Errc::unsupported_version);
  with("read_only_compatible");
  const auto log = t.log(must(t.home->describe_topic("t")));
  CHECK(contents(*log) == "0:a");
  CHECK_FALSE(try_append(*log, {"b"}).has_value());
}

TEST_CASE("home: creators that race get one topic") {
  for (int round = 0; round < 5; ++round) {
    HomeFixture t(Machine::disk);
    constexpr size_t kThreads = 4;
    std::vector<Result<TopicMetadata>> made(kThreads, fail(Errc::io, "not run"));
    std::vector<std::thread> threads;
    for (auto& mine : made) {
      threads.emplace_back([&] { mine = t.open()->create_topic("t", 2, {}, t.env.soon()); });
    }
    for (auto& thread : threads) thread.join();
    const TopicMetadata topic = must(t.home->describe_topic("t"));
    int successes = 0;
    for (const auto& mine : made) {
      if (mine) {
        ++successes;
        CHECK(mine->id == topic.id);
      } else {
        CHECK(mine.error().code == Errc::already_exists);
      }
    }
    CHECK(successes >= 1);
    CHECK(t.partitions() == std::vector<std::string>{"t-0", "t-1"});
    append(*t.log(topic, 1), {"x"});
  }
}

TEST_CASE("home: creators and deleters that race leave a topic or none, and no third thing") {
  HomeFixture t(Machine::disk);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      const auto home = t.open();
      for (int round = 0; round < 8; ++round) {
        const auto done = i == 0 ? home->delete_topic("t", t.env.soon())
                                 : home->create_topic("t", 2, {}, t.env.soon()).map([](const auto&) {});
        const bool expected = done || done.error().code == Errc::not_found || done.error().code == Errc::already_exists;
        if (!expected) throw std::runtime_error(done.error().message());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  (void)t.home->delete_topic("t", t.env.soon());
  const TopicMetadata topic = t.create("t", 2);
  append(*t.log(topic, 0), {"x"});
  append(*t.log(topic, 1), {"y"});
  CHECK(t.partitions() == std::vector<std::string>{"t-0", "t-1"});
}

TEST_CASE("home: making a topic may fail at any call, and is then just done again") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    HomeFixture t;
    t.env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 10});
    const auto made = t.home->create_topic("t", 2, {}, t.env.soon());
    t.env.files.disarm();
    const auto again = t.home->create_topic("t", 2, {}, t.env.soon());
    CHECK((again || again.error().code == Errc::already_exists));
    const TopicMetadata topic = must(t.home->describe_topic("t"));
    if (made) CHECK(made->id == topic.id);
    append(*t.log(topic, 0), {"x"});
    append(*t.log(topic, 1), {"y"});
    if (t.env.files.fired() == 0) {
      MESSAGE("every one of ", n - 1, " calls failed once");
      break;
    }
  }
}

TEST_CASE("home: a deletion that died at any call is finished by the next, and by who makes the topic again") {
  for (const bool make_again : {false, true}) {
    for (int64_t n = 1;; ++n) {
      CAPTURE(make_again);
      CAPTURE(n);
      HomeFixture t;
      const TopicMetadata topic = t.create("t", 3);
      for (int32_t p = 0; p < 3; ++p) append(*t.log(topic, p), {"old"});
      t.env.files.arm({.nth = n, .for_ever = true});  // nothing works any more: the process is as good as dead
      (void)t.home->delete_topic("t", t.env.soon());
      t.env.files.disarm();
      const bool deleted = !t.home->describe_topic("t").has_value();
      if (!make_again || !deleted) {
        const auto finished = t.home->delete_topic("t", t.env.soon());
        CHECK((finished || finished.error().code == Errc::not_found));
        CHECK(code_of(t.home->describe_topic("t")) == Errc::not_found);
      }
      const TopicMetadata again = t.create("t", 3);
      CHECK(again.id != topic.id);
      for (int32_t p = 0; p < 3; ++p) CHECK(contents(*t.log(again, p)) == "");
      if (t.env.files.fired() == 0) {
        MESSAGE("died at every one of ", n - 1, " calls");
        break;
      }
    }
  }
}

TEST_CASE("home: what dead processes left of partitions goes with the next topic, and what the living make stays") {
  HomeFixture t;
  t.create("t");
  const std::string logs = t.home->log_directory(BrokerId(0));
  const TopicPartition partition{"u", PartitionId(0)};
  const auto make = [&](const std::string& path, bool with_lock) {
    must(t.env.files.make_directory(path));
    if (with_lock) must(t.env.files.open_lock(names::partition_lock(path), Access::read_write));
    overwrite(t.env.files, path + "/partition.metadata", "x");
  };
  const std::string deleted = names::deleted_partition_directory(logs, partition, t.env.random.uuid());
  const std::string dead = names::new_partition_directory(logs, partition, t.env.random.uuid());
  const std::string unlocked = names::new_partition_directory(logs, partition, t.env.random.uuid());
  const std::string alive = names::new_partition_directory(logs, partition, t.env.random.uuid());
  make(deleted, true);
  make(dead, true);
  make(unlocked, false);
  make(alive, true);
  const auto maker = must(t.env.files.open_lock(names::partition_lock(alive), Access::read_write));
  CHECK(must(maker->try_lock(lock_byte::kMaking, LockMode::exclusive)));
  must(t.home->delete_topic("t", t.env.soon()));
  CHECK_FALSE(exists(t.env.files, deleted));
  CHECK_FALSE(exists(t.env.files, dead));
  CHECK_FALSE(exists(t.env.files, unlocked));
  CHECK(exists(t.env.files, alive));
}

TEST_CASE("home: a topic can be deleted on a full disk") {
  HomeFixture t;
  const TopicMetadata topic = t.create("t");
  append(*t.log(topic), {"x"});
  t.env.files.arm({.kind = Call::write, .sys_errno = ENOSPC, .for_ever = true});
  CHECK(code_of(try_append(*t.log(topic), {"y"})) == Errc::no_space);
  const auto deleted = t.home->delete_topic("t", t.env.soon());
  t.env.files.disarm();
  CHECK(code_of(t.home->describe_topic("t")) == Errc::not_found);
  CHECK(t.partitions().empty());
}

TEST_CASE("home: a topic gets other configs and more partitions, never fewer") {
  HomeFixture t;
  const TopicMetadata before = t.create("t");
  const TopicMetadata same = must(t.home->alter_topic("t", {.set = {}, .unset = {"segment.ms"}}, t.env.soon()));
  CHECK(same.version == before.version);
  must(t.home->alter_topic("t", {.set = {{"segment.ms", "5"}, {"segment.bytes", "2048"}}}, t.env.soon()));
  must(t.home->alter_topic("t", {.set = {}, .unset = {"segment.ms"}, .partitions = 3}, t.env.soon()));
  const TopicMetadata after = must(t.home->describe_topic("t"));
  CHECK(after.version == before.version + 2);
  CHECK(after.id == before.id);
  CHECK(after.config == ConfigMap{{"segment.bytes", "2048"}});
  CHECK(after.partitions.size() == 3);
  append(*t.log(after, 2), {"x"});
  CHECK(code_of(t.home->alter_topic("t", {.partitions = 2}, t.env.soon())) == Errc::invalid_argument);
  CHECK(code_of(t.home->alter_topic("u", {.partitions = 2}, t.env.soon())) == Errc::not_found);
}

TEST_CASE("home: an open log obeys changed configs from its next append on") {
  HomeFixture t;
  const auto log = t.log(t.create("t"));
  append(*log, {"a"});
  must(t.home->alter_topic("t", {.set = {{"max.message.bytes", "100"}}}, t.env.soon()));
  CHECK(log->config().max_message_bytes != 100);
  CHECK(code_of(try_append(*log, {std::string(100, 'x')})) == Errc::limit);
  CHECK(log->config().max_message_bytes == 100);
  must(t.home->alter_topic("t", {.set = {}, .unset = {"max.message.bytes"}}, t.env.soon()));
  append(*log, {std::string(100, 'x')});
  // Where nobody has told it, because whoever changed them died: at the next roll.
  must(t.home->alter_topic("t", {.set = {{"segment.bytes", "1024"}}}, t.env.soon()));
  append(*log, {"b"});
  log->current_state()->page().config_version.store(0);
  must(t.home->alter_topic("t", {.set = {{"index.interval.bytes", "7"}}}, t.env.soon()));
  log->current_state()->page().config_version.store(0);
  CHECK(log->config().index_interval_bytes == 4096);
  append(*log, {std::string(1000, 'x')});
  CHECK(log->config().index_interval_bytes == 7);
}

TEST_CASE("home: changing a topic may fail at any call, and is then just done again") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    HomeFixture t;
    t.create("t", 1);
    const TopicChange change{.set = {{"segment.bytes", "2048"}}, .unset = {}, .partitions = 2};
    t.env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 10});
    (void)t.home->alter_topic("t", change, t.env.soon());
    t.env.files.disarm();
    const TopicMetadata between = must(t.home->describe_topic("t"));
    CHECK((between.partitions.size() == 2) == (between.config.count("segment.bytes") == 1));
    for (size_t p = 0; p < between.partitions.size(); ++p) append(*t.log(between, static_cast<int32_t>(p)), {"x"});
    must(t.home->alter_topic("t", change, t.env.soon()));
    const TopicMetadata after = must(t.home->describe_topic("t"));
    append(*t.log(after, 1), {"y"});
    if (t.env.files.fired() == 0) break;
  }
}

TEST_CASE("home: those who change a topic at once lose nothing") {
  HomeFixture t(Machine::disk);
  t.create("t");
  std::vector<std::thread> threads;
  const char* const names[] = {"segment.ms", "retention.ms", "retention.bytes", "flush.ms"};
  for (const char* name : names) {
    threads.emplace_back([&t, name] {
      const auto home = t.open();
      for (int i = 1; i <= 5; ++i) {
        must(home->alter_topic("t", {.set = {{name, std::to_string(i)}}}, t.env.soon()));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const ConfigMap config = must(t.home->describe_topic("t")).config;
  for (const char* name : names) CHECK(config.at(name) == "5");
}
