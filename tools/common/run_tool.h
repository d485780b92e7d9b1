// What every tool's main does the same way: common options, the home, messages, the exit status.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/local/admin.h"
#include "core/os/env.h"
#include "core/os/stream.h"
#include "tools/common/api.h"
#include "tools/common/exit_code.h"
#include "tools/common/options.h"

namespace pg {

struct CommonOptions {
  bool help = false;
  bool version = false;
  bool quiet = false;
  bool verbose = false;
  bool json = false;
  std::string home;
  Duration timeout = kTimeoutDefault;
  bool timeout_given = false;
};

class Tool {
 public:
  // `command` names the tool in messages: "pg-topic create".
  explicit Tool(std::string command);

  CommonOptions& common() { return common_; }
  const CommonOptions& common() const { return common_; }
  const Env& env() const { return env_; }

  // Adds -h -V -q -v -J --home --timeout to `table`.
  void add_common_options(OptionTable& table, const std::string& json_help,
                          const std::string& timeout_help = "how long to wait for others' locks (default 30s)");

  // The cluster at --home, else PG_HOME, else ${XDG_DATA_HOME:-~/.local/share}/pilgrimage. It must exist.
  Result<std::unique_ptr<Cluster>> open_cluster() const;
  // The same for commands that create topics: the first topic creates the cluster.
  Result<std::unique_ptr<Cluster>> open_cluster_to_write() const;
  // --home, else PG_HOME, else ${XDG_DATA_HOME:-~/.local/share}/pilgrimage. It must exist.
  Result<std::unique_ptr<Home>> open_home() const;
  // The same for commands that make topics: the first topic makes the home.
  Result<std::unique_ptr<Home>> open_home_to_write() const;
  Result<> init_home(const std::vector<BrokerMetadata>& brokers, const ConfigMap& config) const;
  Deadline deadline() const { return env_.clock.after(common_.timeout); }

  // One line on stderr: "pg-produce: …". note() is silenced by -q; detail() needs -v.
  void error(const std::string& message) const;
  void note(const std::string& message) const;
  void detail(const std::string& message) const;
  // Says with -v, or on a terminal, that something was made, since the reason may be a mistyped name.
  void made(const std::string& message) const;
  // Writes to stdout, unbuffered.
  Result<> print(std::string_view text) const;

  // Parses, answers --help and --version, and runs `body`. Returns the exit status.
  using Body = std::function<Result<ExitCode>(const std::vector<std::string>& operands)>;
  int run(OptionTable& table, const std::vector<std::string>& arguments, const Body& body);

 private:
  Result<ExitCode> attempt(OptionTable& table, const std::vector<std::string>& arguments, const Body& body);

  std::string command_;
  CommonOptions common_;
  Env env_;
};

// "NAME=value": all that this process was started with.
std::vector<std::string> our_environment();

// argv[1...].
std::vector<std::string> arguments_of(int argc, char** argv);

}  // namespace pg
