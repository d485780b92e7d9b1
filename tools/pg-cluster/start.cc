// pg-cluster start: a supervisor for each broker, which goes on in the background and runs the broker.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/limits.h"
#include "core/format/path_names.h"
#include "tools/pg-cluster/broker_watch.h"
#include "tools/pg-cluster/commands.h"
#include "tools/pg-cluster/in_parallel.h"

namespace pg {
namespace {

// "2026-11-23T05:28:20.123Z ", in front of each line of a log
constexpr size_t kTimeCharacters = 25;

// One broker on its way.
class BrokerStart {
 public:
  BrokerStart(const Tool& tool, const Home& home, BrokerId broker)
      : tool_(tool), home_(home), broker_(broker), watch_(home, broker) {}

  // Starts a supervisor, if the broker needs one. A broker that ends with its supervisor gets another one once it has
  // ended.
  Result<> begin();
  // Waits until the broker does its work, or has ended: then it says why, and returns what the broker ended with.
  Result<ExitCode> finish(Deadline deadline);

 private:
  Result<> start_supervisor();
  // Empty: neither yet.
  Result<std::optional<ExitCode>> look();
  ExitCode report_end(const ChildStatus& end) const;
  std::string last_words() const;

  const Tool& tool_;
  const Home& home_;
  BrokerId broker_;
  BrokerWatch watch_;
  bool waits_for_end_ = false;
  std::optional<DetachedProgram> supervisor_;
  FileInfo log_before_;
};

Result<> BrokerStart::begin() {
  PG_ASSIGN(const bool supervised, watch_.is_supervised());
  PG_ASSIGN(waits_for_end_, watch_.ends_with_its_supervisor());
  if (waits_for_end_) return {};
  PG_ASSIGN(const bool runs, watch_.runs());
  if (!runs && !supervised) return start_supervisor();
  tool_.note(fmt::format("broker {} runs already{}", watch_.number(), supervised ? "" : ", in the foreground"));
  return {};
}

Result<> BrokerStart::start_supervisor() {
  PG_CHECK(home_.env().files.make_directories_in(names::topics_directory(home_.path()),
                                                 names::logs_directory(home_.path())));
  PG_ASSIGN(const std::string home, absolute_path(home_.path()));
  if (const auto info = home_.env().files.info(watch_.log_file())) log_before_ = *info;
  PG_ASSIGN(supervisor_, DetachedProgram::start(this_program(home, "supervise", broker_), watch_.log_file()));
  return {};
}

Result<ExitCode> BrokerStart::finish(Deadline deadline) {
  for (;;) {
    PG_ASSIGN(const auto outcome, look());
    if (outcome == kExitDone) tool_.detail(fmt::format("broker {} runs", watch_.number()));
    if (outcome) return *outcome;
    if (home_.env().clock.now() >= deadline) {
      return fail(Errc::timed_out,
                  fmt::format("broker {} is not ready yet: it goes on in the background", watch_.number()),
                  watch_.log_file());
    }
    home_.env().clock.wait({}, kBrokerLookInterval);
  }
}

Result<std::optional<ExitCode>> BrokerStart::look() {
  if (waits_for_end_) {
    PG_ASSIGN(waits_for_end_, watch_.ends_with_its_supervisor());
    if (!waits_for_end_) PG_CHECK(begin());
    return std::nullopt;
  }
  std::optional<ChildStatus> end;
  if (supervisor_) {
    PG_ASSIGN(end, supervisor_->ended());
  }
  // Only now: what it held is free once it has ended.
  PG_ASSIGN(const bool supervised, watch_.is_supervised());
  PG_ASSIGN(const bool ready, supervised ? watch_.is_kept_working() : watch_.is_ready());
  if (ready) return kExitDone;
  if (supervised || (supervisor_ && !end)) return std::nullopt;  // also if another 'start' was faster than ours
  if (end) return report_end(*end);
  PG_ASSIGN(const bool runs, watch_.runs());
  if (runs) return std::nullopt;
  return fail(Errc::busy, fmt::format("broker {} was stopped meanwhile", watch_.number()));
}

ExitCode BrokerStart::report_end(const ChildStatus& end) const {
  const std::string words = last_words();
  if (end.signal != 0) {
    tool_.error(fmt::format("the supervisor of broker {} was {}", watch_.number(), end.text()));
    return kExitFailed;
  }
  tool_.error(!words.empty()
                  ? words
                  : fmt::format("broker {} ended with {} ({})", watch_.number(), end.text(), watch_.log_file()));
  return end.exit_status == 0 ? kExitFailed : static_cast<ExitCode>(end.exit_status);  // it was to go on
}

// The last line that has come into the log since we began.
std::string BrokerStart::last_words() const {
  const auto info = home_.env().files.info(watch_.log_file());
  const auto all = home_.env().files.read_all(watch_.log_file());
  if (!info || !all) return {};
  std::string_view text = *all;
  if (info->inode == log_before_.inode) text.remove_prefix(std::min<size_t>(text.size(), log_before_.size_bytes));
  while (text.ends_with('\n')) text.remove_suffix(1);
  text.remove_prefix(text.rfind('\n') + 1);
  if (text.size() > kTimeCharacters && text[kTimeCharacters - 2] == 'Z') text.remove_prefix(kTimeCharacters);
  return std::string(text);
}

}  // namespace

int cluster_start(const Arguments& arguments) {
  Tool tool("pg-cluster start");
  bool all = false;
  OptionTable table("pg-cluster start", "[N...]",
                    "Starts the brokers N in the background, and sees to it that they go on.");
  table.operands(0, std::numeric_limits<size_t>::max());
  table.flag("--all", all, "all brokers of the cluster");
  tool.add_common_options(table, "", "how long to wait until they work (default 30s)");
  return tool.run(table, arguments, [&](const auto& numbers) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto brokers, chosen_brokers(*home, numbers, all));
    return in_parallel<BrokerStart>(tool, *home, brokers);
  });
}

}  // namespace pg
