// Where no home may be made, and the message if there is none.
#pragma once

#include <string>

#include "core/os/env.h"

namespace pg {

// What to do if there is no home.
struct IfNoHome {
  bool make = true;  // the first call that stores something makes one
  // Missing directories above the home may be made below this one. Empty: the directory that the home is to be in must
  // exist.
  std::string base = {};
  // The user asks for a new cluster (pg-cluster init), and does not just use the home.
  bool by_name = false;
};

// Whether a home may be made at `path`, where none is. Not in a log directory, ours or Kafka's; not in a folder
// of another home; not where a home has lost its metadata; not below a mount point that is not mounted; not where a
// home has vanished; not where the directory above is missing; not on a file system that is not known to be local.
// Changes nothing.
Result<> may_make_home(const Env& env, const std::string& path, const IfNoHome& how);

// The same for a log directory outside of the home.
Result<> may_make_log_directory(const Env& env, const std::string& path);

// Whether `path` has topics or log directories of a home, but not the home's metadata.
bool is_metadata_lost(const Env& env, const std::string& path);

// The error for commands that make no home.
Error no_home(const Env& env, const std::string& path);

}  // namespace pg
