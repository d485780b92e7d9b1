#include "core/log/log_directory.h"

#include <thread>

#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

TopicPartition partition(int32_t n) {
  return {"t", PartitionId(n)};
}

}  // namespace

TEST_CASE("log_directory: recovery points go up and never down, in Kafka's file") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  CHECK(must(directory.recovery_point(partition(0))) == Offset(0));
  must(directory.raise_recovery_points({{partition(0), Offset(5)}, {partition(1), Offset(7)}}, env.soon()));
  must(directory.raise_recovery_points({{partition(0), Offset(4)}, {partition(2), Offset(1)}}, env.soon()));
  CHECK(must(directory.recovery_point(partition(0))) == Offset(5));
  CHECK(must(env.files.read_all(names::recovery_checkpoint(env.root()))) == "0\n3\nt 0 5\nt 1 7\nt 2 1\n");
  CHECK(directory.partition_path(partition(3)) == env.root() + "/t-3");
}

TEST_CASE("log_directory: a topic's recovery points are forgotten, and no other's") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  must(directory.raise_recovery_points(
      {{partition(0), Offset(5)}, {partition(1), Offset(7)}, {{"tt", PartitionId(0)}, Offset(9)}}, env.soon()));
  must(directory.forget_topic("t", env.soon()));
  CHECK(must(env.files.read_all(names::recovery_checkpoint(env.root()))) == "0\n1\ntt 0 9\n");
}

TEST_CASE("log_directory: what changes nothing writes nothing") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  must(directory.forget_topic("t", env.soon()));
  must(directory.raise_recovery_points({{partition(0), Offset(5)}}, env.soon()));
  const int64_t syncs = env.files.calls(Call::sync);
  must(directory.raise_recovery_points({{partition(0), Offset(3)}}, env.soon()));
  must(directory.forget_topic("other", env.soon()));
  CHECK(env.files.calls(Call::sync) == syncs);
}

TEST_CASE("log_directory: a checkpoint that cannot be read counts as empty, and that is said") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  overwrite(env.files, names::recovery_checkpoint(env.root()), "0\n1\nt 0\n");
  CHECK(must(directory.recovery_point(partition(0))) == Offset(0));
  CHECK(env.notices().find("recovery-point-offset-checkpoint") != std::string::npos);
  must(directory.raise_recovery_points({{partition(0), Offset(5)}}, env.soon()));
  CHECK(must(directory.recovery_point(partition(0))) == Offset(5));
}

TEST_CASE("log_directory: a checkpoint that cannot be read just now is an error, and nobody's entry is lost by it") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  must(directory.raise_recovery_points({{partition(0), Offset(5)}}, env.soon()));
  env.files.arm({.kind = Call::read});
  CHECK(code_of(directory.recovery_point(partition(0))) == Errc::io);
  env.files.arm({.kind = Call::read});
  CHECK(code_of(directory.raise_recovery_points({{partition(1), Offset(7)}}, env.soon())) == Errc::io);
  CHECK(must(directory.recovery_point(partition(0))) == Offset(5));
}

TEST_CASE("log_directory: processes that raise points at once lose nothing") {
  TestEnv env(Machine::disk);
  std::vector<std::thread> threads;
  for (int32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      LogDirectory directory(env.env(), env.root());
      for (int64_t offset = 1; offset <= 5; ++offset) {
        must(directory.raise_recovery_points({{partition(t), Offset(offset)}}, env.soon()));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(must(env.files.read_all(names::recovery_checkpoint(env.root()))) == "0\n4\nt 0 5\nt 1 5\nt 2 5\nt 3 5\n");
}

TEST_CASE("log_directory: a partition that was deleted meanwhile gets no recovery point, its neighbours do") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  must(directory.raise_recovery_points({{partition(0), Offset(5)}, {partition(1), Offset(7)}}, env.soon(),
                                       [](const TopicPartition& p) { return p == partition(0); }));
  CHECK(must(directory.recovery_point(partition(0))) == Offset(0));
  CHECK(must(directory.recovery_point(partition(1))) == Offset(7));
}

TEST_CASE("log_directory: a log start goes up and never down, and is forgotten with its topic") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  CHECK(must(directory.log_start(partition(0))) == Offset(0));
  must(directory.raise_log_start(partition(0), Offset(5), env.soon()));
  must(directory.raise_log_start(partition(0), Offset(4), env.soon()));
  must(directory.raise_log_start(partition(1), Offset(4), env.soon(), [](const TopicPartition&) { return true; }));
  CHECK(must(directory.log_start(partition(0))) == Offset(5));
  CHECK(must(env.files.read_all(names::log_start_checkpoint(env.root()))) == "0\n1\nt 0 5\n");
  overwrite(env.files, names::log_start_checkpoint(env.root()), "0\n1\nt 0\n");
  CHECK(!must(directory.log_start(partition(0))));
  must(directory.raise_log_start(partition(0), Offset(6), env.soon()));
  must(directory.forget_topic("t", env.soon()));
  CHECK(must(directory.log_start(partition(0))) == Offset(0));
}
