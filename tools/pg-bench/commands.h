// pg-bench's commands. Each gets the arguments behind its name and returns the exit status.
#pragma once

#include "tools/common/run_tool.h"
#include "tools/common/subcommands.h"

namespace pg {

int bench_produce(const Arguments& arguments);
int bench_consume(const Arguments& arguments);
int bench_latency(const Arguments& arguments);
int bench_durable(const Arguments& arguments);
int bench_open(const Arguments& arguments);
int bench_recover(const Arguments& arguments);
int bench_failover(const Arguments& arguments);
int bench_verify(const Arguments& arguments);
int bench_scenarios(const Arguments& arguments);
int bench_report(const Arguments& arguments);
int bench_worker(const Arguments& arguments);
int bench_broker(const Arguments& arguments);

}  // namespace pg
