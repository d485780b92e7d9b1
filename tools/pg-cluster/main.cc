// pg-cluster: the brokers of a cluster. This file only lists the commands.
#include "tools/pg-cluster/commands.h"

namespace pg {
namespace {

constexpr Subcommand kCommands[] = {
    {"init", "make a cluster, or add brokers to it", cluster_init},
    {"alter", "change the configs of the cluster", cluster_alter},
    {"run", "be a broker, in the foreground", cluster_run},
    {"start", "start brokers in the background", cluster_start},
    {"stop", "stop brokers in the background", cluster_stop},
    {"status", "print how the brokers and the partitions are", cluster_status},
    {"health", "say whether all is as it should be", cluster_health},
    {"elect", "give partitions back to their preferred leaders", cluster_elect},
    {"locks", "print which process holds which lock", cluster_locks},
    {"verify", "compare the replicas", cluster_verify},
    {"supervise", nullptr, cluster_supervise},
    {"run-supervised", nullptr, cluster_run_supervised},
};

}  // namespace
}  // namespace pg

int main(int argc, char** argv) {
  pg::name_this_process("pg-cluster");
  return pg::run_subcommand("pg-cluster", pg::kCommands, argc, argv);
}
