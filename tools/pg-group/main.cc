// pg-group: consumer groups as a whole. This file only lists the commands.
#include "tools/pg-group/commands.h"

namespace pg {
namespace {

constexpr Subcommand kCommands[] = {
    {"list", "print the names of the groups", group_list},
    {"describe", "print members, assignment, committed offsets and lag", group_describe},
    {"lag", "print how many records a group has before it", group_lag},
    {"seek", "move committed offsets", group_seek},
    {"commit", "commit offsets that pg-consume --offsets-file wrote", group_commit},
    {"delete-offsets", "forget committed offsets", group_delete_offsets},
    {"delete", "forget a group", group_delete},
};

}  // namespace
}  // namespace pg

int main(int argc, char** argv) { return pg::run_subcommand("pg-group", pg::kCommands, argc, argv); }
