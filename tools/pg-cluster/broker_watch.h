// What other processes can see of a broker and its supervisor: locks, which are only looked at, and a log.
#pragma once

#include <optional>
#include <string>

#include "core/local/admin.h"

namespace pg {

class BrokerWatch {
 public:
  BrokerWatch(const Home& home, BrokerId broker) : home_(home), broker_(broker) {}
  int32_t number() const { return broker_.value; }
  std::string log_file() const;

  Result<bool> runs() const;
  Result<bool> is_ready() const;
  Result<bool> is_supervised() const;
  // Whether the broker runs but its supervisor has ended: the system is ending the broker too.
  Result<bool> ends_with_its_supervisor() const;
  Result<bool> is_kept_working() const;

  // The process that is the broker, or its supervisor. Empty: none, or none that can be seen from here.
  Result<std::optional<int32_t>> process() const;
  Result<std::optional<int32_t>> supervisor() const;
  // Asks the supervisor to end together with the broker. Returns the process that was asked; empty: none can be seen.
  Result<std::optional<int32_t>> terminate_supervisor() const;

 private:
  const Home& home_;
  BrokerId broker_;
};

}  // namespace pg
