// A log file for people that cannot grow for ever: when it is full, it becomes the older one, of which there is one.
// Each line begins with its time. What cannot be written is dropped: a full disk must not stop whom the log is about.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/os/env.h"

namespace pg {

class BoundedLog {
 public:
  BoundedLog(const Env& env, std::string path, int64_t bytes_max);

  // Text as it comes, in pieces. A line is written when its end is there, and cut where it is too long.
  void add(std::string_view text);
  // Ends a line of which the end has not come.
  void end_line();
  void add_line(std::string_view line);

 private:
  Result<> write_line(std::string_view line);
  Result<> make_room(size_t bytes);

  Env env_;
  std::string path_;
  int64_t bytes_max_;
  std::string begun_;
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
};

}  // namespace pg
