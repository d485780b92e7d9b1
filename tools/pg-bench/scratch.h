// What a benchmark makes for itself, and takes away at the end, however it ends.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/local/admin.h"
#include "tools/common/subcommands.h"
#include "tools/pg-bench/bench_options.h"

namespace pg {

// Tool::run, where a stop signal, or that nobody reads standard output any more, ends `body` by an error and not the
// process.
int run_tidily(Tool& tool, OptionTable& table, const Arguments& arguments, const Tool::Body& body);

// The topic that a benchmark uses: a new one, or one that there is and stays.
class BenchTopic {
 public:
  static Result<BenchTopic> make(const Tool& tool, Home& home, const BenchOptions& options);
  BenchTopic(BenchTopic&& other) noexcept
      : home_(other.home_), name_(other.name_), owned_(std::exchange(other.owned_, false)) {}
  ~BenchTopic();

  const std::string& name() const { return name_; }

 private:
  BenchTopic(Home& home, std::string name, bool owned) : home_(home), name_(std::move(name)), owned_(owned) {}
  Home& home_;
  std::string name_;
  bool owned_;
};

// Sends records to `topic` until they are enough, of so many records and bytes of keys and values, and closes it.
using IsEnough = std::function<bool(int64_t records, int64_t bytes)>;
Result<> fill_topic(Home& home, const std::string& topic, const BenchOptions& options, const IsEnough& is_enough);

// A home of its own inside `home`, on the same disk.
class BenchHome {
 public:
  static Result<BenchHome> make(Home& home);
  BenchHome(BenchHome&& other) noexcept : env_(other.env_), path_(std::exchange(other.path_, "")) {}
  ~BenchHome();

  const std::string& path() const { return path_; }

 private:
  BenchHome(const Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  Env env_;
  std::string path_;
};

}  // namespace pg
