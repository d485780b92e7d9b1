#include "tools/pg-bench/workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <utility>

#include "core/os/signals.h"
#include "core/os/this_program.h"
#include "tools/pg-bench/commands.h"

namespace pg {
namespace {

constexpr const WorkerRole* kRoles[] = {&kSendRole,    &kReadRole,    &kTimedSendRole, &kFollowRole,
                                        &kDurableRole, &kSendOneRole, &kReadOneRole};

constexpr Duration kLookInterval = std::chrono::milliseconds(100);

// By then each worker should have opened its topic. A worker that has not is late, and the figures show it.
Duration start_delay(int64_t processes) { return std::chrono::milliseconds(200 + 20 * processes); }

// What a process says last: a measurement, or why there is none.
std::string failure_to_json(const Error& error) {
  const nlohmann::json json{{"error", error.message()}, {"code", static_cast<int>(error.code)}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Measurement> parse_answer(const std::string& output, const ChildStatus& end) {
  std::string_view said = output;
  while (said.ends_with('\n')) said.remove_suffix(1);
  const std::string_view last = said.substr(said.rfind('\n') + 1);
  if (end.succeeded()) return Measurement::from_json(last);
  const auto json = nlohmann::json::parse(last, nullptr, false);
  if (!json.is_object() || !json.contains("error")) {
    return fail(Errc::io, fmt::format("a process of the benchmark ended with {}{}{}", end.text(),
                                      said.empty() ? "" : ": ", said));
  }
  return fail(static_cast<Errc>(json.at("code").get<int>()), json.at("error").get<std::string>());
}

// One that runs.
class Worker {
 public:
  static Result<Worker> start(const WorkerRole& role, const Home& home, const Arguments& arguments,
                              const WorkerTask& task) {
    ProgramStart start{{"pg-bench", "worker", role.name, home.path(), task.topic, std::to_string(task.index),
                        std::to_string(task.of), std::to_string(task.start.time_since_epoch().count())},
                       our_environment()};
    start.arguments.insert(start.arguments.end(), arguments.begin(), arguments.end());
    PG_ASSIGN(auto child, ProgramChild::start(start));
    return Worker(std::move(child));
  }

  // Empty: it goes on at `deadline`.
  Result<std::optional<Measurement>> look(Deadline deadline) {
    PG_ASSIGN(const auto news, child_.wait(deadline));
    output_ += news.output;
    if (stop_signal() != 0) return fail(Errc::interrupted, "interrupted");  // it has got the signal too
    if (!news.ended) return std::nullopt;
    return parse_answer(output_, *news.ended);
  }

 private:
  explicit Worker(ProgramChild child) : child_(std::move(child)) {}
  ProgramChild child_;
  std::string output_;
};

const WorkerRole* find_role(const std::string& name) {
  const auto* found = std::ranges::find_if(kRoles, [&](const WorkerRole* role) { return name == role->name; });
  return found == std::end(kRoles) ? nullptr : *found;
}

}  // namespace

Result<std::vector<Measurement>> run_workers(const Home& home, const Arguments& arguments, const BenchOptions& options,
                                             const std::string& topic, std::span<const Crew> crews) {
  Clock& clock = home.env().clock;
  int64_t all = 0;
  for (const Crew& crew : crews) all += crew.of;
  const Deadline start = clock.after(start_delay(all));
  std::list<std::pair<size_t, Worker>> workers;  // with the numbers of their crews
  for (size_t crew = 0; crew < crews.size(); ++crew) {
    for (int64_t index = 0; index < crews[crew].of; ++index) {
      PG_ASSIGN(auto worker, Worker::start(*crews[crew].role, home, arguments, {topic, index, crews[crew].of, start}));
      workers.emplace_back(crew, std::move(worker));
    }
  }
  std::vector<Measurement> results(crews.size(), Measurement(start + options.warm_up_length()));
  while (!workers.empty()) {
    // In turn, so that an error of any of them is seen soon.
    const Duration turn = workers.size() == 1 ? Duration::max() : kLookInterval;
    for (auto worker = workers.begin(); worker != workers.end();) {
      PG_ASSIGN(const auto measured, worker->second.look(clock.after(turn)));
      if (measured) results[worker->first].merge(*measured);
      worker = measured ? workers.erase(worker) : std::next(worker);
    }
  }
  return results;
}

Result<> run_worker(const Home& home, const WorkerRole& role, const Arguments& arguments, const WorkerTask& task) {
  PG_ASSIGN(auto worker, Worker::start(role, home, arguments, task));
  for (bool ended = false; !ended;) {
    PG_ASSIGN(const auto measured, worker.look(kNoDeadline));
    ended = measured.has_value();
  }
  return {};
}

// pg-bench worker ROLE HOME TOPIC INDEX OF START [ARGUMENT...]: what run_workers() has started.
int bench_worker(const Arguments& arguments) {
  Tool tool("pg-bench worker");
  const WorkerRole* role = arguments.size() < 6 ? nullptr : find_role(arguments[0]);
  if (role == nullptr) {
    tool.error("this is a part of the other commands, and not for people");
    return kExitUsage;
  }
  const auto number = [&](size_t i) { return parse_integer(arguments[i]).value_or(0); };
  const WorkerTask task{arguments[2], number(3), number(4), Deadline(Duration(number(5)))};
  BenchOptions options;
  OptionTable table = role->table(tool, options);
  return tool.run(table, {arguments.begin() + 6, arguments.end()}, [&](const auto&) -> Result<ExitCode> {
    const auto home = Home::open(tool.env(), arguments[1]);
    const auto measured = home ? role->work(**home, options, task) : Result<Measurement>(tl::unexpected(home.error()));
    PG_CHECK(tool.print((measured ? measured->to_json() : failure_to_json(measured.error())) + "\n"));
    return measured ? kExitDone : exit_code(measured.error());
  });
}

}  // namespace pg
