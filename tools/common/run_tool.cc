#include "tools/common/run_tool.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <system_error>

#include "core/base/text.h"
#include "core/os/process_limits.h"
#include "core/os/signals.h"
#include "core/os/user.h"

#ifndef PG_VERSION
#error "PG_VERSION comes from CMakeLists.txt"
#endif

extern char** environ;

namespace pg {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A relative one would be another directory for each working directory; the XDG Base Directory Specification has it
// ignored.
std::string absolute_or_nothing(std::string path) { return path.starts_with('/') ? path : std::string(); }

// `base`: must exist; below it missing directories are made.
struct HomePlace {
  std::string path, base;
};

Result<HomePlace> default_home() {
  if (const auto home = environment("PG_HOME"); !home.empty()) return HomePlace{home, ""};
  std::string user = absolute_or_nothing(environment("HOME"));
  if (user.empty()) user = absolute_or_nothing(home_directory_of_user());
  if (const auto data = absolute_or_nothing(environment("XDG_DATA_HOME")); !data.empty()) {
    const bool is_below_user = !user.empty() && data.starts_with(user + "/");
    return HomePlace{data + "/pilgrimage", is_below_user ? user : parent_path(data)};
  }
  if (!user.empty()) return HomePlace{user + "/.local/share/pilgrimage", user};
  return fail(Errc::invalid_argument, "no home directory: give --home DIR, or set PG_HOME");
}

Result<HomePlace> home_place(const CommonOptions& options) {
  return options.home.empty() ? default_home() : Result<HomePlace>(HomePlace{options.home, ""});
}

}  // namespace

std::vector<std::string> our_environment() {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) result.emplace_back(*variable);
  return result;
}

std::vector<std::string> arguments_of(int argc, char** argv) { return {argv + std::min(argc, 1), argv + argc}; }

Tool::Tool(std::string command) : command_(std::move(command)), env_(posix_env()) {
  env_.notice = [this](const std::string& message) { note(message); };
}

void Tool::add_common_options(OptionTable& table, const std::string& json_help, const std::string& timeout_help) {
  if (!json_help.empty()) table.flag("-J,--json", common_.json, json_help);
  table.option(
      "--timeout", "DURATION",
      [this](const std::string& value) -> Result<> {
        PG_ASSIGN(common_.timeout, to_duration(value));
        common_.timeout_given = true;
        return {};
      },
      timeout_help);
  table.option(
      "--home", "DIR",
      [this](const std::string& value) {
        common_.home = value;
        return value.empty() ? fail(Errc::invalid_argument, "an empty name is not a directory") : Result<>();
      },
      "home directory (default $PG_HOME, or pilgrimage in\n$XDG_DATA_HOME or ~/.local/share)");
  table.flag("-q,--quiet", common_.quiet, "print errors only");
  table.flag("-v,--verbose", common_.verbose, "print what is done");
  table.printing_flag("-h,--help", common_.help, "print this help");
  table.printing_flag("-V,--version", common_.version, "print the version");
}

Result<std::unique_ptr<Cluster>> Tool::open_cluster() const {
  PG_ASSIGN(const HomePlace place, home_place(common_));
  return pilgrimage::open_cluster(place.path, {.create = false, .notice = env_.notice});
}

Result<std::unique_ptr<Cluster>> Tool::open_cluster_to_write() const {
  PG_ASSIGN(const HomePlace place, home_place(common_));
  return pilgrimage::open_cluster(place.path, {.create_below = place.base, .notice = env_.notice});
}

Result<std::unique_ptr<Home>> Tool::open_home() const {
  PG_ASSIGN(const HomePlace place, home_place(common_));
  return Home::open(env_, place.path, {.make = false});
}

Result<std::unique_ptr<Home>> Tool::open_home_to_write() const {
  PG_ASSIGN(const HomePlace place, home_place(common_));
  return Home::open(env_, place.path, {.base = place.base});
}

Result<> Tool::init_home(const std::vector<BrokerMetadata>& brokers, const ConfigMap& config) const {
  PG_ASSIGN(const HomePlace place, home_place(common_));
  return Home::init(env_, place.path, brokers, config, place.base);
}

void Tool::error(const std::string& message) const {
  // One line, whatever it quotes, and nothing that a terminal would obey.
  std::string line = message;
  const bool text = is_utf8(line);
  for (char& c : line) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !text)) c = '?';
  }
  (void)OutputStream::standard_error().write(as_bytes(fmt::format("{}: {}\n", command_, line)));
}

void Tool::note(const std::string& message) const {
  if (!common_.quiet) error(message);
}

void Tool::detail(const std::string& message) const {
  if (common_.verbose) error(message);
}

void Tool::made(const std::string& message) const {
  if (common_.verbose || (!common_.quiet && OutputStream::standard_error().is_terminal())) error(message);
}

Result<> Tool::print(std::string_view text) const { return OutputStream::standard_output().write(as_bytes(text)); }

Result<ExitCode> Tool::attempt(OptionTable& table, const std::vector<std::string>& arguments, const Body& body) {
  try {
    PG_ASSIGN(const auto operands, table.parse(arguments));
    for (const auto& notice : table.notices()) note(notice);
    if (common_.help) return print(table.help()).map([] { return kExitDone; });
    if (common_.version) return print("pilgrimage " PG_VERSION "\n").map([] { return kExitDone; });
    return body(operands);
  } catch (const std::bad_alloc&) {
    return fail(Errc::limit, "out of memory" + memory_limit());
  } catch (const std::system_error& error) {
    return fail(Errc::limit, fmt::format("no room for another thread: {}", error.what()));
  }
}

int Tool::run(OptionTable& table, const std::vector<std::string>& arguments, const Body& body) {
  guard_standard_descriptors();
  guard_file_signals(kExitDamaged);
  allow_many_files();
  const auto outcome = attempt(table, arguments, body);
  if (outcome) return *outcome;
  if (const int signal = stop_signal(); signal != 0 && outcome.error().code == Errc::interrupted) die_of_signal(signal);
  error(outcome.error().message());
  return exit_code(outcome.error());
}

}  // namespace pg
