// What goes out of a log is kept beside it, for somebody to look at: torn tails, damage, and what stood in the place of
// a file.
#pragma once

#include <functional>
#include <string>

#include "core/os/file_system.h"

namespace pg {

// Copies [from, to) of `log` to a new file beside it and makes it durable. Its name is name_of(1), or the first of
// name_of(2), name_of(3), … that is free: nothing is written over. Returns the file's path; empty, and no file, for
// bytes that are all zeros, which some file systems leave after a power cut.
Result<std::string> set_aside(FileSystem& files, const File& log, uint64_t from, uint64_t to,
                              const std::function<std::string(int n)>& name_of);

// Gives what stands at `path` the first free name of PATH.aside-1, PATH.aside-2, …, and returns it.
Result<std::string> move_aside(FileSystem& files, const std::string& path);

}  // namespace pg
