#include "core/base/result.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pilgrimage {

std::string Error::message() const {
  std::string text = what;
  if (sys_errno != 0) text += fmt::format(": {}", std::strerror(sys_errno));
  if (!path.empty()) text += position ? fmt::format(" ({} @ {})", path, *position) : fmt::format(" ({})", path);
  return text;
}

}  // namespace pilgrimage

namespace pg {

void assertion_failed(const char* expression, const char* file, int line) {
  // A bug: the one place where core writes to stderr and ends the process, so that a wrong state is never stored.
  std::fprintf(stderr, "pilgrimage: internal error: %s (%s:%d); please report this\n", expression, file, line);
  std::abort();
}

}  // namespace pg
