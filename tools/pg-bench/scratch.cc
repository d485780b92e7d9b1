#include "tools/pg-bench/scratch.h"

#include <fmt/format.h>

#include <cerrno>

#include "core/os/signals.h"

namespace pg {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

std::string own_name(const Env& env) { return fmt::format("pg-bench-{}", env.process().pid); }

}  // namespace

int run_tidily(Tool& tool, OptionTable& table, const Arguments& arguments, const Tool::Body& body) {
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    catch_stop_signals();
    ignore_closed_pipes();
    auto done = body(operands);
    if (!done && done.error().sys_errno == EPIPE) die_of_signal(SIGPIPE);  // late, but as other tools do
    return done;
  });
}

Result<BenchTopic> BenchTopic::make(const Tool& tool, Home& home, const BenchOptions& options) {
  if (!options.topic.empty()) {
    PG_CHECK(home.describe_topic(options.topic));
    return BenchTopic(home, options.topic, false);
  }
  const auto copies =
      options.replication_factor == 0
          ? std::nullopt
          : std::optional(static_cast<int32_t>(std::min<int64_t>(options.replication_factor, INT32_MAX)));
  if (options.partitions > kPartitionsMax)
    return fail(Errc::invalid_argument, fmt::format("--partitions: at most {}", kPartitionsMax));
  PG_ASSIGN(const auto topic, home.create_topic(own_name(home.env()), static_cast<int32_t>(options.partitions), {},
                                                tool.deadline(), copies));
  return BenchTopic(home, topic.name, true);
}

BenchTopic::~BenchTopic() {
  if (!owned_) return;
  const auto deleted = home_.delete_topic(name_, home_.env().clock.after(kPatience));
  if (!deleted)
    home_.env().notice(fmt::format("topic '{}' of this benchmark is left over: {}", name_, deleted.error().message()));
}

Result<> fill_topic(Home& home, const std::string& topic, const BenchOptions& options, const IsEnough& is_enough) {
  PG_ASSIGN(auto values, options.values());
  PG_ASSIGN(auto keys, options.keys());
  PG_ASSIGN(const auto producer, LocalProducer::open(home, topic, options.producer));
  Record record;
  for (int64_t records = 0, bytes = 0; !is_enough(records, bytes); ++records) {
    record.value = values.next();
    if (keys) record.key = keys->next();
    PG_CHECK(producer->send(record));
    if (stop_signal() != 0) return fail(Errc::interrupted, "interrupted");
    bytes += static_cast<int64_t>(record.value->size() + record.key.value_or("").size());
  }
  return producer->close();
}

Result<BenchHome> BenchHome::make(Home& home) {
  PG_CHECK(home.make());
  std::string path = home.path() + "/" + own_name(home.env());
  PG_CHECK(home.env().files.make_directory(path));
  return BenchHome(home.env(), std::move(path));
}

BenchHome::~BenchHome() {
  if (path_.empty()) return;
  const auto removed = env_.files.remove_tree(path_);
  if (!removed) env_.notice(fmt::format("this benchmark has left something behind: {}", removed.error().message()));
}

}  // namespace pg
