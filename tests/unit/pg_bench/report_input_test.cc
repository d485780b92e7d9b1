#include "tools/pg-bench/report/input.h"

#include "tests/support/printing.h"

using namespace pg;

namespace {

const std::string kLeast =
    R"({"bench":"b","records":1,"bytes":2,"seconds":3,"records_per_second":4,"bytes_per_second":5)";

std::string message_of(const std::string& text) {
  const auto results = parse_results("f", text);
  return results ? "no error" : results.error().what;
}

}  // namespace

TEST_CASE("parse_results: a line with everything") {
  const auto results = parse_results(
      "f", "\n" + kLeast + R"(,"subject":"s","time":"t","version":"v","options":{"acks":"all","n":7,"list":[1]},
)" + "\n");
  CHECK(!results);  // a result is one line
  const auto parsed = parse_results(
      "f",
      "\n" + kLeast +
          R"(,"subject":"s","options":{"acks":"all","n":7,"list":[1]},"latency":{"until":"written","p50_us":12.5},"histogram":[[20,1],[10,2]],)"
          R"("timeline":{"interval_ms":100,"records":[1,2]},"machine":{"processors":2},"unknown":{"a":[]}})"
          "\r\n");
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 1);
  const auto& result = parsed->front();
  CHECK(result.file == "f");
  CHECK(result.line == 2);
  CHECK(result.subject == "s");
  CHECK(result.bytes_per_second == 5);
  REQUIRE(result.options.size() == 3);
  CHECK(result.options[0].text == "all");
  CHECK(result.options[1].text == "7");
  CHECK(result.options[2].text == "[1]");
  CHECK(result.latency_until == "written");
  CHECK(number_of(result.latency, "p50_us") == 12.5);
  CHECK(!number_of(result.latency, "until"));
  CHECK(!number_of(result.latency, "p99_us"));
  REQUIRE(result.histogram.size() == 2);
  CHECK(result.histogram[0].highest_ns == 10);
  CHECK(result.histogram[0].count == 2);
  CHECK(result.timeline == std::vector<double>{1, 2});
}

TEST_CASE("parse_results: what may be missing, and null is missing") {
  const auto results =
      parse_results("f", kLeast + "}\n" + kLeast +
                             R"(,"subject":null,"latency":null,"histogram":null,"timeline":null,"machine":null})");
  REQUIRE(results);
  CHECK(results->size() == 2);
  CHECK(parse_results("f", "")->empty());
  CHECK(parse_results("f", "\n \r\n\n")->empty());
}

TEST_CASE("parse_results: what is wrong is named") {
  struct Row {
    std::string text;
    const char* message;
  };
  const Row rows[] = {
      {kLeast + "}\nx\n", "'f', line 2: no result of pg-bench: column 1: syntax error"},
      {kLeast, "'f', line 1: no result of pg-bench: column "},
      {kLeast + ",\"time\":\"\xff\"}", "'f', line 1: no result of pg-bench: column "},
      {kLeast + ",\"figures\":{\"x\":1e999}}", "'f', line 1: no result of pg-bench: number overflow"},
      {"[]", "'f', line 1: no result of pg-bench: a result is an object"},
      {"{}", "'f', line 1: no result of pg-bench: \"bench\" is missing"},
      {R"({"bench":7})", "\"bench\" has to be a string"},
      {R"({"bench":"b","records":1})", "\"bytes\" is missing"},
      {R"({"bench":"b","records":"1"})", "\"records\" has to be a number from 0 to 1e+18"},
      {R"({"bench":"b","records":-1})", "\"records\" has to be a number from 0 to 1e+18"},
      {R"({"bench":"b","records":1e19})", "\"records\" has to be a number from 0 to 1e+18"},
      {kLeast + R"(,"options":[]})", "\"options\" has to be an object"},
      {kLeast + R"(,"time":7})", "\"time\" has to be a string"},
      {kLeast + R"(,"histogram":{}})", "\"histogram\" has to be a list of"},
      {kLeast + R"(,"histogram":[[1]]})", "\"histogram\" has to be a list of"},
      {kLeast + R"(,"histogram":[[1,"2"]]})", "\"histogram\" has to be a list of"},
      {kLeast + R"(,"timeline":[]})", "\"timeline\" has to have"},
      {kLeast + R"(,"timeline":{"interval_ms":0.9,"records":[]}})", "\"timeline\" has to have"},
      {kLeast + R"(,"timeline":{"interval_ms":1}})", "\"timeline\" has to have"},
      {kLeast + R"(,"timeline":{"interval_ms":1,"records":[null]}})", "\"timeline\" has to have"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const std::string message = message_of(row.text);
    CAPTURE(message);
    CHECK(message.find(row.message) != std::string::npos);
  }
}
