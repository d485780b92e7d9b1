#include "core/log/log_directory.h"

#include <thread>

#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

TopicPartition partition(int32_t n) { return {"t", PartitionId(n)}; }

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

TEST_CASE(
    "log_directory: a spoilt line costs no other partition its own; the file is kept as it was, and a notice says so") {
  const std::string whole = "0\n3\nt 0 5\nt 1 70\nt 2 9\n";
  for (const std::string spoilt :
       {"0\n3\nt 0 5\nt 1 7x\nt 2 9\n", "0\n3\nt 0 5\nt 1 70\nt 1 60\nt 2 9\n", "0\n3\nt 0 5\n\xff\xfe\nt 2 9\n",
        "0\n3\nt 0 5\nt 2 9\n", "0\n3\nt 0 5\nt 2 9\nt 1 7", "0\n3\nt 0 5\nt 1 9223372036854775807\nt 2 9\n"}) {
    CAPTURE(spoilt);
    TestEnv env;
    LogDirectory directory(env.env(), env.root());
    const std::string path = names::recovery_checkpoint(env.root());
    for (int32_t p = 0; p < 3; ++p)
      must(env.files.make_directory(names::partition_directory(env.root(), partition(p))));
    overwrite(env.files, path, spoilt);
    CHECK(must(directory.recovery_point(partition(0))) == Offset(5));
    CHECK(!must(directory.recovery_point(partition(1))));
    CHECK(must(directory.recovery_point(partition(2))) == Offset(9));
    CHECK(env.notices().find("recovery-point-offset-checkpoint is damaged") != std::string::npos);
    CHECK(env.notices().find("has no line of 't-1'") != std::string::npos);
    must(directory.raise_recovery_points({{partition(0), Offset(6)}}, env.soon()));
    CHECK(must(directory.recovery_point(partition(0))) == Offset(6));
    CHECK(!must(directory.recovery_point(partition(1))));  // it has no page that would remember
    CHECK(must(directory.recovery_point(partition(2))) == Offset(9));
    must(directory.raise_recovery_points({{partition(0), Offset(7)}}, env.soon()));
    CHECK(must(env.files.read_all(names::damaged_checkpoint(path, 1))) == spoilt);
    CHECK(!exists(env.files, names::damaged_checkpoint(path, 2)));
    must(directory.store_found(partition(1), Offset(0), Offset(70), env.soon()));
    must(directory.raise_recovery_points({{partition(0), Offset(7)}}, env.soon()));
    CHECK(must(env.files.read_all(path)) == "0\n3\nt 0 7\nt 1 70\nt 2 9\n");
    CHECK(!exists(env.files, names::damaged_checkpoint(path, 2)));
  }
}

TEST_CASE("log_directory: whichever byte of a checkpoint is spoilt, the other lines count, and no offset is made up") {
  const std::string whole = "0\n2\nt 0 55\nt 1 77\n";
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\n', ' ', 'x', '\xff', '-'}) {
      CAPTURE(at);
      std::string text = whole;
      text[at] = byte;
      const OffsetLines lines = read_offset_lines(text);
      const bool is_other_topic = (at == 4 || at == 11) && (byte == 'x' || byte == '-');
      if (text != whole && !is_other_topic) CHECK(!lines.is_whole());
      CHECK((at >= 10 || lines.offsets.contains(partition(1))));
      CHECK((at < 11 || lines.offsets.at(partition(0)) == Offset(55)));
      const OffsetLines again = read_offset_lines(write_offset_lines(lines));
      CHECK(again.offsets == lines.offsets);
      CHECK(again.is_whole() == lines.is_whole());
    }
    const OffsetLines cut = read_offset_lines(whole.substr(0, at));
    CHECK(!cut.is_whole());
    CHECK(!cut.offsets.contains(partition(1)));
  }
}

TEST_CASE("log_directory: a log that is cut or begins again takes what all checkpoints say of it with it") {
  TestEnv env;
  LogDirectory directory(env.env(), env.root());
  must(directory.raise_recovery_points({{partition(0), Offset(50)}, {partition(1), Offset(50)}}, env.soon()));
  must(directory.raise_cleaned(partition(0), Offset(40), env.soon()));
  must(directory.raise_cleaned(partition(1), Offset(40), env.soon()));
  must(directory.store_high_watermarks({{partition(0), Offset(45)}, {partition(1), Offset(45)}}, env.soon()));
  must(directory.raise_log_start(partition(0), Offset(35), env.soon()));
  must(directory.cut_at(partition(0), Offset(30), env.soon()));
  CHECK(must(directory.recovery_point(partition(0))) == Offset(30));
  CHECK(must(directory.cleaned_to(partition(0))) == Offset(30));
  CHECK(must(directory.high_watermark(partition(0))) == Offset(30));
  CHECK(must(directory.log_start(partition(0))) == Offset(30));
  must(directory.restart_at(partition(0), Offset(20), env.soon()));
  CHECK(must(directory.recovery_point(partition(0))) == Offset(20));
  CHECK(must(directory.cleaned_to(partition(0))) == Offset(0));
  CHECK(must(directory.high_watermark(partition(0))) == Offset(20));
  CHECK(must(directory.log_start(partition(0))) == Offset(20));
  CHECK(must(directory.recovery_point(partition(1))) == Offset(50));
  CHECK(must(directory.cleaned_to(partition(1))) == Offset(40));
  // Storing the offsets of some partitions keeps those of the others.
  must(directory.store_high_watermarks({{partition(0), Offset(21)}}, env.soon()));
  CHECK(must(directory.high_watermark(partition(1))) == Offset(45));
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
  must(env.files.make_directory(names::partition_directory(env.root(), partition(0))));
  CHECK(!must(directory.log_start(partition(0))));
  must(directory.raise_log_start(partition(0), Offset(6), env.soon()));
  must(directory.forget_topic("t", env.soon()));
  CHECK(must(directory.log_start(partition(0))) == Offset(0));
}
