// pg-topic: topics as a whole. This file only lists the commands.
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

constexpr Subcommand kCommands[] = {
    {"create", "make a topic", topic_create},
    {"list", "print the names of the topics", topic_list},
    {"describe", "print configs, replicas and how far each partition is written and flushed", topic_describe},
    {"alter", "change configs, or add partitions", topic_alter},
    {"delete", "delete a topic and its records", topic_delete},
    {"offsets", "print the first and the next offset of each partition", topic_offsets},
    {"dump", "print segments, batches, records and index entries", topic_dump},
    {"trim", "delete the oldest records, below an offset or a time", topic_trim},
    {"compact", "delete what retention and compaction no longer keep", topic_compact},
    {"verify", "check every byte, and name each fault", topic_verify},
    {"repair", "make a damaged topic readable again, and name what is lost", topic_repair},
};

}  // namespace
}  // namespace pg

int main(int argc, char** argv) { return pg::run_subcommand("pg-topic", pg::kCommands, argc, argv); }
