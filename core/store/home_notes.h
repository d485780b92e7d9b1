// The homes that this user's processes have used in this boot: a small file for each home, in memory, so that the next
// boot has none. A note tells a home that has vanished, because its disk is not mounted or somebody removed it under
// its brokers, from one that never existed. Everything here is best effort: without a note nothing is refused.
//
//   <notes>/<hash of the path>-<cluster id>             the note
//   <notes>/<hash of the path>-<cluster id>.broker-<n>  a broker of it has started, and not stopped cleanly
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/os/env.h"
#include "core/store/cluster_metadata.h"

namespace pg {

struct HomeNote {
  std::string path;  // of the home, from the root on
  Uuid cluster{};
  std::vector<std::string> log_directories = {};  // outside of the home
  std::optional<DirectoryIdentity> home = {}, parent = {};
  int64_t noted_ms = 0;
  std::string file = {};  // the note itself
};

class HomeNotes {
 public:
  HomeNotes(const Env& env, const std::string& home);

  // Writes the note unless it exists, which costs one system call. `anew`: writes it in any case, since its content has
  // changed.
  void leave(const ClusterMetadata& cluster, bool anew = false) const;
  // For a home that was made or found: removes the notes of other homes at this path.
  void forget_others(const Uuid& cluster) const;

  void broker_started(const Uuid& cluster, BrokerId broker) const;
  void broker_stopped(const Uuid& cluster, BrokerId broker) const;

  // Why the home at this path has vanished, and was not just removed by hand, as a clause for a message; empty: it has
  // not. `by_name`: the user asks for a new cluster there, so brokers that ran do not count.
  std::string what_is_gone(bool by_name) const;

  // The path of the home of this cluster, if a note has one.
  std::string home_of(const Uuid& cluster) const;

 private:
  std::string note_file(const Uuid& cluster) const;
  std::vector<HomeNote> read_all(const std::string& prefix) const;
  std::optional<HomeNote> read(const std::string& file) const;
  std::string what_is_gone(const HomeNote& note, bool by_name) const;
  std::vector<std::string> log_directories_left(const HomeNote& note) const;
  bool had_running_brokers(const HomeNote& note) const;
  void remove(const HomeNote& note) const;
  void remove_useless() const;

  const Env& env_;
  std::string path_;    // from the root on; empty: unknown
  std::string prefix_;  // of the names of its notes
};

}  // namespace pg
