// What this user's processes have seen of homes in this boot: a small file for each home, in memory, so that the next boot knows
// nothing. With it a home that is gone, because its disk is not mounted or somebody removed it under its brokers, is told from one
// that never was. Everything here is best effort: without a note nothing is refused.
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

  // Unless it is there: one system call. `anew` where what it says has changed.
  void leave(const ClusterMetadata& cluster, bool anew = false) const;
  // A home was made or found: what was noted of others at this path counts no more.
  void forget_others(const Uuid& cluster) const;

  void broker_started(const Uuid& cluster, BrokerId broker) const;
  void broker_stopped(const Uuid& cluster, BrokerId broker) const;

  // What says that the home at this path is gone and not only removed, as a clause for a message; empty where nothing does. With
  // `by_name` somebody asks for a new cluster there, and that brokers ran does not count.
  std::string what_is_gone(bool by_name) const;

  // The path of the home of which a log directory is, if one was seen.
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
  std::string path_;    // from the root on; empty where nobody knows
  std::string prefix_;  // of the names of its notes
};

}  // namespace pg
