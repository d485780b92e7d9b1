// Where no home may be made, and what to say where there is none.
#pragma once

#include <string>

#include "core/os/env.h"

namespace pg {

// What to do where there is no home.
struct IfNoHome {
  bool make = true;  // by the first call that stores something
  // Where missing directories above the home may be made: below this one. Empty: the directory that the home is to be in must exist.
  std::string base = {};
  // Somebody asks for a new cluster, and does not just use the home.
  bool by_name = false;
};

// At `path` there is no home. Whether one may be made: not in a log directory, ours or Kafka's; not where the metadata of one is
// lost; not below a mount point that is not mounted; not where a home was that is gone; not where the directory above is missing; not on
// a file system that is not known to be local. Looks, and changes nothing.
Result<> may_make_home(const Env& env, const std::string& path, const IfNoHome& how);

// The same for a log directory outside of the home.
Result<> may_make_log_directory(const Env& env, const std::string& path);

// Whether what is in it says that there was a home at `path`, whose own metadata is not there.
bool is_metadata_lost(const Env& env, const std::string& path);

// For those that make none.
Error no_home(const Env& env, const std::string& path);

}  // namespace pg
