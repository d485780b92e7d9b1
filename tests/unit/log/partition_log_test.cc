#include "core/log/partition_log.h"

#include <thread>

#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

const TopicPartition kPartition{"t", PartitionId(0)};

Result<Uuid> create(TestEnv& env, const Uuid& id) {
  return PartitionLog::create(env.env(), env.root(), kPartition, id);
}

}  // namespace

TEST_CASE("partition_log: a new partition has Kafka's files and is empty") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env);
    CHECK(partition.files_ending("") ==
          "00000000000000000000.index 00000000000000000000.log 00000000000000000000.timeindex leader-epoch-checkpoint "
          "partition.lock partition.metadata partition.state");
    CHECK(must(env.files.read_all(names::epoch_checkpoint(partition.directory()))) == "0\n1\n0 0\n");
    CHECK(must(env.files.read_all(names::partition_metadata(partition.directory()))) ==
          write_partition_metadata(partition.id));
    CHECK(must(env.files.list(env.root())) == std::vector<std::string>{"t-0"});
    const auto log = partition.open();
    CHECK(contents(*log) == "");
    CHECK(faults_of(*log) == "");
    CHECK(log->name() == "t-0");
    CHECK(log->current_state()->position().log_end == Offset(0));
    CHECK(env.notices() == "");
  }
}

TEST_CASE("partition_log: who comes first decides whose topic it is") {
  TestEnv env;
  const Uuid first = env.random.uuid(), second = env.random.uuid();
  CHECK(must(create(env, first)) == first);
  CHECK(must(create(env, second)) == first);
  CHECK(must(env.files.list(env.root())) == std::vector<std::string>{"t-0"});
}

TEST_CASE("partition_log: creators that race agree on one id and leave nothing else behind") {
  TestEnv env(Machine::disk);
  for (int round = 0; round < 5; ++round) {
    std::vector<Uuid> decided(4);
    std::vector<std::thread> threads;
    for (auto& id : decided) threads.emplace_back([&] { id = must(create(env, env.random.uuid())); });
    for (auto& thread : threads) thread.join();
    for (const auto& id : decided) CHECK(id == decided[0]);
    CHECK(must(env.files.list(env.root())) == std::vector<std::string>{"t-0"});
    must(env.files.remove_tree(env.root() + "/t-0"));
  }
}

TEST_CASE("partition_log: making a partition may fail at any call, and is then just done again") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 5});
    const auto made = create(env, env.random.uuid());
    env.files.disarm();
    const Uuid id = must(create(env, env.random.uuid()));
    if (made) CHECK(*made == id);
    const auto log = must(PartitionLog::open(env.env(), {env.root(), kPartition, id}, env.soon()));
    CHECK(append(*log, {"a"}) == Offset(0));
    CHECK(contents(*log) == "0:a");
    if (env.files.fired() == 0) {
      MESSAGE("every one of ", n - 1, " calls failed once");
      break;
    }
  }
}

TEST_CASE("partition_log: what is not there is not found") {
  TestEnv env;
  CHECK(code_of(PartitionLog::open(env.env(), {env.root(), kPartition, {}}, env.soon())) == Errc::not_found);
  TestPartition partition(env);
  auto spec = partition.spec();
  spec.topic_id = env.random.uuid();
  CHECK(code_of(PartitionLog::open(env.env(), spec, env.soon())) == Errc::not_found);
}

TEST_CASE("partition_log: damaged metadata names its file") {
  TestEnv env;
  TestPartition partition(env);
  const std::string path = names::partition_metadata(partition.directory());
  overwrite(env.files, path, "version: 0\n");
  const Error error = error_of(partition.try_open());
  CHECK(error.code == Errc::corrupt);
  CHECK(error.path == path);
}

TEST_CASE("partition_log: removing takes the files, and every open handle ends") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env, tiny_segments());
    const auto writer = partition.open(), follower = partition.open();
    append_numbers(*writer, 0, 40);
    LogReader reader(*follower, Offset(0));
    CHECK(must(reader.next(Offset(40))).has_value());
    const WakeWord word = follower->current_state()->prepare_to_sleep();

    must(partition.remove());
    CHECK(must(env.files.list(env.root())).empty());
    CHECK(*word.word != word.seen);  // who slept was woken
    CHECK(code_of(try_append(*writer, {"late"})) == Errc::not_found);
    CHECK(code_of(writer->flush(env.soon())) == Errc::not_found);
    CHECK(code_of(follower->state(env.soon())) == Errc::not_found);
    CHECK(code_of(follower->current_state()->check_not_deleted()) == Errc::not_found);
    CHECK(code_of(partition.try_open()) == Errc::not_found);
    CHECK(code_of(partition.remove()) == Errc::not_found);
  }
}

TEST_CASE("partition_log: a topic made again gets nothing of its namesake's open producer") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition old_topic(env);
    const auto producer = old_topic.open(), flusher = old_topic.open();
    append(*producer, {"old"});
    must(old_topic.remove());
    TestPartition new_topic(env);
    const auto log = new_topic.open();
    CHECK(code_of(try_append(*producer, {"stray"})) == Errc::not_found);
    CHECK(code_of(try_append(*producer, {"stray"})) == Errc::not_found);
    CHECK(code_of(flusher->flush(env.soon())) == Errc::not_found);
    CHECK(append(*log, {"new"}) == Offset(0));
    CHECK(contents(*log) == "0:new");
  }
}

TEST_CASE("partition_log: a directory that was removed without a word, and made again, is another topic's") {
  TestEnv env;
  TestPartition old_topic(env);
  const auto producer = old_topic.open();
  append(*producer, {"old"});
  must(env.files.remove_tree(old_topic.directory()));  // rm -r
  CHECK(code_of(try_append(*producer, {"stray"})) == Errc::not_found);
  TestPartition new_topic(env);
  CHECK(code_of(try_append(*producer, {"stray"})) == Errc::not_found);
  CHECK(contents(*new_topic.open()) == "");
}

TEST_CASE("partition_log: a reader whose partition vanished gets an error, at any stage") {
  for (const bool begun : {false, true}) {
    TestEnv env;
    TestPartition partition(env);
    const auto log = partition.open();
    append_numbers(*log, 0, 2);
    LogReader reader(*log, Offset(0));
    if (begun) CHECK(must(reader.next(Offset(2))).has_value());
    must(env.files.remove_tree(partition.directory()));
    CHECK(code_of(log->state(env.soon())) == Errc::not_found);
    CHECK_FALSE(reader.next(Offset(2)).has_value());
    CHECK_FALSE(reader.next(Offset(2)).has_value());
  }
}

TEST_CASE("partition_log: removing may fail at any call, and nobody then writes to what is left") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    TestPartition partition(env);
    const auto writer = partition.open();
    append(*writer, {"a"});
    env.files.arm({.nth = n});
    const auto removed = partition.remove();
    env.files.disarm();
    if (env.files.fired() == 0) {
      CHECK(removed.has_value());
      MESSAGE("every one of ", n - 1, " calls failed once");
      break;
    }
    // Tried again, as Home does, it is gone.
    const auto again = partition.remove();
    CHECK((again || again.error().code == Errc::not_found));
    CHECK(code_of(partition.try_open()) == Errc::not_found);
    CHECK(code_of(try_append(*writer, {"late"})) == Errc::not_found);
  }
}

TEST_CASE("partition_log: a damaged partition can be removed") {
  const std::pair<const char*, void (*)(TestPartition&)> rows[] = {
      {"no segments",
       [](TestPartition& p) {
         must(p.env.files.unlink(p.log_file()));
         must(p.env.files.unlink(p.page_file()));
       }},
      {"no metadata", [](TestPartition& p) { must(p.env.files.unlink(names::partition_metadata(p.directory()))); }},
      {"malformed metadata",
       [](TestPartition& p) { overwrite(p.env.files, names::partition_metadata(p.directory()), "x"); }},
      {"a directory for a page",
       [](TestPartition& p) {
         must(p.env.files.unlink(p.page_file()));
         must(p.env.files.make_directory(p.page_file()));
       }},
  };
  for (const auto& [name, spoil] : rows) {
    CAPTURE(name);
    TestEnv env;
    TestPartition partition(env);
    spoil(partition);
    CHECK_FALSE(partition.try_open().has_value());
    must(partition.remove());
    CHECK(must(env.files.list(env.root())).empty());
  }
}

TEST_CASE("partition_log: another topic's partition is not removed") {
  TestEnv env;
  TestPartition partition(env);
  auto spec = partition.spec();
  spec.topic_id = env.random.uuid();
  CHECK(code_of(PartitionLog::remove(env.env(), spec, env.soon())) == Errc::not_found);
  CHECK(contents(*partition.open()) == "");
}

TEST_CASE("partition_log: who may only read sees the log and changes nothing") {
  for (const Machine machine : kEveryMachine) {
    for (const bool page : {true, false}) {
      CAPTURE(page);
      TestEnv env(machine);
      TestPartition partition(env, tiny_segments());
      append_numbers(*partition.open(), 0, 40);
      must(must(env.files.open(partition.log_file(26), OpenMode::create))->info());
      if (!page) must(env.files.unlink(partition.page_file()));
      const std::string before = partition.files_ending("");
      const auto log = partition.open(Access::read_only);
      CHECK(log->current_state()->is_private_view() == !page);
      CHECK(contents(*log) == numbers(0, 40));
      CHECK(contents(*log, 33) == numbers(33, 40));
      CHECK(error_of(try_append(*log, {"no"})).what == "cannot append to 't-0': no permission to write");
      CHECK(partition.files_ending("") == before);
    }
  }
}

TEST_CASE("partition_log: a private view follows the log when it is asked again") {
  TestEnv env;
  TestPartition partition(env);
  append_numbers(*partition.open(), 0, 3);
  must(env.files.unlink(partition.page_file()));
  const auto looker = partition.open(Access::read_only);
  CHECK(contents(*looker) == numbers(0, 3));
  append_numbers(*partition.open(), 3, 2);  // rebuilds the page on the way
  CHECK(contents(*looker) == numbers(0, 3));
  must(looker->state(env.soon()));
  CHECK_FALSE(looker->current_state()->is_private_view());
  CHECK(contents(*looker) == numbers(0, 5));
}

TEST_CASE("partition_log: handles that see a replaced page open the new one") {
  TestEnv env;
  TestPartition partition(env);
  const auto one = partition.open();
  append_numbers(*one, 0, 3);
  must(env.files.unlink(partition.page_file()));
  append_numbers(*one, 3, 1);  // finds the page gone, and rebuilds it
  const auto other = partition.open();
  CHECK(contents(*other) == numbers(0, 4));
  must(env.files.unlink(partition.page_file()));
  // `one` still has the ghost mapped; `other` cannot rebuild before it lets go.
  CHECK(code_of(other->state(env.clock().after(std::chrono::milliseconds(50)))) == Errc::busy);
  append_numbers(*one, 4, 1);
  append_numbers(*other, 5, 1);
  CHECK(contents(*other) == numbers(0, 6));
}
