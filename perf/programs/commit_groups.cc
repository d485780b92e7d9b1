// commit_groups HOME GROUPS COMMITS: each of so many groups commits so often, in turn, for partition 0 of topic t; the
// rows and the compaction are those of real members, only nobody waits for the disk.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/group/group_table.h"
#include "core/os/env.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int groups = std::atoi(argv[2]), commits = std::atoi(argv[3]);
  const pg::Env env = pg::posix_env();
  const auto run = [&]() -> pg::Result<> {
    PG_ASSIGN(const auto home, pg::Home::open(env, argv[1]));
    PG_ASSIGN(const auto topic, home->describe_topic("t"));
    PG_ASSIGN(auto table, pg::LogTable::open(*home, pg::kConsumerOffsetsTable, pg::kNoDeadline));
    for (int commit = 1; commit <= commits; ++commit) {
      for (int group = 1; group <= groups; ++group) {
        PG_CHECK(table.catch_up([](auto, auto) { return pg::Result<>(); }, [] {}, pg::kNoDeadline));
        const auto offset = pg::committed_offset(env, pg::Offset(commit), pg::LeaderEpoch(0), topic.id);
        PG_ASSIGN(const bool first,
                  table.append({pg::offset_row(fmt::format("g{}", group), {"t", pg::PartitionId(0)}, offset)},
                               pg::kNoDeadline));
        if (!first) return pg::fail(pg::Errc::busy, "somebody else commits too");
      }
    }
    return table.flush(pg::kNoDeadline);
  };
  const auto done = run();
  if (!done) std::fprintf(stderr, "commit_groups: %s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
