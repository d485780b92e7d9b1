// pg-schema serve: Confluent's REST API, for programs that want to ask a server.
#include <fmt/format.h>

#include <deque>
#include <thread>

#include "core/os/signals.h"
#include "tools/common/json_record.h"
#include "tools/common/run_tool.h"
#include "tools/common/subcommands.h"
#include "tools/pg-schema/serve/http_worker.h"

namespace pg {
namespace {

// As many clients are answered at a time; others wait until one of them has been, or is idle.
constexpr int kWorkers = 16;

struct ServeOptions {
  TcpAddress listen = {"127.0.0.1", 8081};
  CompatibilityPolicy policy = CompatibilityPolicy::strict;
};

void add_options(OptionTable& table, ServeOptions& options) {
  table.option(
      "--listen", "HOST:PORT",
      [&options](const std::string& value) -> Result<> {
        PG_ASSIGN(options.listen, parse_tcp_address(value));
        return {};
      },
      "where (default 127.0.0.1:8081); with port 0, any that is\nfree");
  table.option(
      "--policy", "POLICY",
      [&options](const std::string& value) -> Result<> {
        if (value == "strict")
          options.policy = CompatibilityPolicy::strict;
        else if (value == "lenient")
          options.policy = CompatibilityPolicy::lenient;
        else
          return fail(Errc::invalid_argument, fmt::format("'{}' is not strict or lenient", value));
        return {};
      },
      "how changes of open content models of JSON Schema are\njudged: strict (default) or lenient");
}

// Returns when all have, which a stop signal makes them do.
Result<> run_workers(HttpService& service) {
  std::deque<HttpWorker> workers;
  std::vector<Result<>> results(kWorkers);
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorkers; ++i) {
    threads.emplace_back([&worker = workers.emplace_back(service), &result = results[static_cast<size_t>(i)]] {
      result = worker.run();
    });
  }
  for (auto& thread : threads) thread.join();
  for (auto& result : results) PG_CHECK(result);
  return {};
}

int serve(const Arguments& arguments) {
  Tool tool("pg-schema serve");
  ServeOptions options;
  OptionTable table("pg-schema serve", "",
                    "Answers requests by Confluent's REST API until a stop signal arrives. Prints its address first.\n"
                    "Every client that can connect may change schemas: there is no access control.");
  table.operands(0, 0);
  add_options(table, options);
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    catch_stop_signals();
    PG_ASSIGN(const auto home, tool.open_home_to_write());
    PG_ASSIGN(auto registry, Registry::open(*home, tool.deadline()));
    PG_ASSIGN(const auto listener, TcpListener::open(options.listen));
    const std::string url = "http://" + listener.address();
    PG_CHECK(tool.print(tool.common().json ? fmt::format("{{\"url\":{}}}\n", json_string(url)) : url + "\n"));
    RestApi api(registry, options.policy);
    HttpService service{listener, api, tool.env().clock, tool.common().timeout};
    PG_CHECK(run_workers(service));
    return kExitDone;
  });
}

}  // namespace
}  // namespace pg

int main(int argc, char** argv) { return pg::serve(pg::arguments_of(argc, argv)); }
