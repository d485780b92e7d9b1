// pg-cluster's commands. Each gets the arguments behind its name and returns the exit status.
#pragma once

#include <vector>

#include "core/os/this_program.h"
#include "tools/common/run_tool.h"
#include "tools/common/subcommands.h"

namespace pg {

int cluster_init(const Arguments& arguments);
int cluster_alter(const Arguments& arguments);
int cluster_run(const Arguments& arguments);
int cluster_start(const Arguments& arguments);
int cluster_stop(const Arguments& arguments);
int cluster_supervise(const Arguments& arguments);
int cluster_run_supervised(const Arguments& arguments);
int cluster_status(const Arguments& arguments);
int cluster_health(const Arguments& arguments);
int cluster_elect(const Arguments& arguments);
int cluster_locks(const Arguments& arguments);
int cluster_verify(const Arguments& arguments);

// not_found names the brokers that there are.
Result<BrokerId> known_broker(const Home& home, int64_t number);
// Those with these numbers, each once, or all.
Result<std::vector<BrokerId>> chosen_brokers(const Home& home, const Arguments& numbers, bool all);

// 'pg-cluster COMMAND' for the broker, with our environment.
ProgramStart this_program(const std::string& home, const char* command, BrokerId broker);

}  // namespace pg
