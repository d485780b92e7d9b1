// A table kept as a log: a record's key and value are a row, the last record of a key counts, null deletes it.
//
// It lives in partition 0 of an internal topic, which is made on first use. A change is decided on what the log holds
// up to its end and appended only if it still ends there, else decided again; it counts once it is on stable storage,
// and so does what is only read: a row that a power cut may take back is no base for anything.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/store/home.h"

namespace pg {

class LogTable {
 public:
  // Borrows `home`.
  static Result<LogTable> open(Home& home, const std::string& topic, Deadline deadline);

  // Called with the row's value; what it returns becomes the value, and empty leaves it as it is. May be called several
  // times.
  using Decide = std::function<Result<std::optional<std::string>>(const std::optional<std::string>& current)>;

  // The row's value in the end, on stable storage. An error leaves unknown whether the change was made: decide again.
  Result<std::optional<std::string>> change(std::string_view key, const Decide& decide, Deadline deadline);

 private:
  LogTable(const Env& env, std::unique_ptr<PartitionLog> log) : env_(env), log_(std::move(log)) {}
  Result<bool> append(std::string_view key, std::string_view value, const LogEnd& seen, Deadline deadline);

  Env env_;
  std::unique_ptr<PartitionLog> log_;
};

}  // namespace pg
