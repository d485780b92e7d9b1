#include "tools/pg-bench/report/labels.h"

#include "tests/support/printing.h"

using namespace pg;

namespace {

ReportedRun run(std::string bench, Facts options, std::string file = "f", int64_t line = 1) {
  ReportedRun result;
  result.bench = std::move(bench);
  result.options = std::move(options);
  result.file = std::move(file);
  result.line = line;
  return result;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("label_runs: the bench alone where that is enough") {
  CHECK(label_runs({run("produce", {{"acks", "all", {}}})}) == Labels{"produce"});
  CHECK(label_runs({run("produce", {{"acks", "all", {}}}), run("consume", {{"group", "g", {}}})}) ==
        Labels{"produce", "consume"});
}

TEST_CASE("label_runs: the subject, and options that differ or that one lacks") {
  auto first = run("produce", {{"value_bytes", "100", {}}, {"acks", "all", {}}});
  auto second = run("produce", {{"value_bytes", "100", {}}, {"acks", "none", {}}, {"rate", "5", {}}});
  CHECK(label_runs({first, second}) == Labels{"produce · acks=all", "produce · acks=none · rate=5"});
  first.subject = "pipe";
  second.subject = "fifo";
  second.options = first.options;
  CHECK(label_runs({first, second}) == Labels{"produce pipe", "produce fifo"});
}

TEST_CASE("label_runs: what differs between different workloads only tells nothing") {
  const auto labels = label_runs({run("produce", {{"acks", "all", {}}, {"count", "5", {}}}),
                                  run("durable", {{"acks", "none", {}}, {"count", "5", {}}}),
                                  run("durable", {{"acks", "none", {}}, {"count", "9", {}}})});
  CHECK(labels == Labels{"produce", "durable · count=5", "durable · count=9"});
}

TEST_CASE("label_runs: two versions are told apart") {
  auto first = run("produce", {}), second = first;
  first.version = "0.1.0";
  second.version = "0.2.0";
  CHECK(label_runs({first, second}) == Labels{"produce · version=0.1.0", "produce · version=0.2.0"});
}

TEST_CASE("label_runs: the same runs by file, then by line, and only those that need it") {
  CHECK(label_runs({run("produce", {}, "a"), run("produce", {}, "b"), run("exec", {}, "b")}) ==
        Labels{"produce · a", "produce · b", "exec"});
  CHECK(label_runs({run("produce", {}, "a", 1), run("produce", {}, "a", 2), run("produce", {}, "b", 1)}) ==
        Labels{"produce · a:1", "produce · a:2", "produce · b"});
}
