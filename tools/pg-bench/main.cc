// pg-bench: how fast it is here. This file only lists the commands.
#include "tools/pg-bench/commands.h"

namespace pg {
namespace {

constexpr Subcommand kCommands[] = {
    {"produce", "send records as fast as it goes, or at a rate", bench_produce},
    {"consume", "read records as fast as it goes", bench_consume},
    {"latency", "from process to process through a topic", bench_latency},
    {"durable", "one record after another, each on stable storage", bench_durable},
    {"open", "how long a command waits before its first record", bench_open},
    {"recover", "how long it takes to open a log that was not closed", bench_recover},
    {"failover", "how long a partition has no leader when a broker is killed", bench_failover},
    {"verify", "send and read numbered records, and tell of each", bench_verify},
    {"scenarios", "well-known benchmarks by their names", bench_scenarios},
    {"report", "draw results as one HTML file", bench_report},
    {"worker", nullptr, bench_worker},
    {"broker", nullptr, bench_broker},
};

}  // namespace
}  // namespace pg

int main(int argc, char** argv) { return pg::run_subcommand("pg-bench", pg::kCommands, argc, argv); }
