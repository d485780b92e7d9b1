// Result<T>: how every operation in core reports failure. Nothing in core throws, prints or exits.
//
// Three channels, never mixed: an operating error is an Error in a Result; a bug is a PG_ASSERT (on in release);
// only a tool's main ends the process. "Nothing there" is not an error: it is an empty std::optional.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace pg {

// A closed list. tools/common/exit_code.h maps each one to an exit status.
enum class Errc {
  not_found,            // no such topic, partition or offset
  already_exists,       //
  invalid_argument,     // the caller's value is malformed
  out_of_range,         // an offset outside the log
  corrupt,              // bytes that are not what was written
  unsupported_version,  // a file from a newer program, or a feature this build has not got
  busy,                 // somebody holds what is needed
  timed_out,            // no progress within the caller's deadline
  interrupted,          // a stop signal arrived while waiting
  fenced,               // a newer leader epoch exists
  not_leader,           // this replica may not be written
  not_durable,          // written, but not as durable as asked
  no_space,             // disk full or quota reached
  limit,                // a configured limit would be passed
  conflict,             // what the caller relies on is not so
  io,                   // everything else the system said no to
};

struct Error {
  Errc code = Errc::io;
  std::string what;                 // lower case, no full stop, problem first, subject quoted
  std::string path = {};            // the file concerned, or empty
  std::optional<int64_t> position;  // byte position in `path`
  int sys_errno = 0;                // errno of the failed call, or 0

  // One line: "cannot append to 'orders-0': No space left on device (/…/000….log @ 8192)".
  std::string message() const;
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, std::string what, std::string path = {},
                                  std::optional<int64_t> position = {}, int sys_errno = 0) {
  return tl::unexpected(Error{code, std::move(what), std::move(path), position, sys_errno});
}

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace pg

#define PG_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::pg::assertion_failed(#expression, __FILE__, __LINE__))

// Propagate an error to the caller; PG_ASSIGN also unwraps the value into `declaration`.
#define PG_CHECK(...)                                                \
  do {                                                               \
    if (auto&& pg_result_ = (__VA_ARGS__); !pg_result_) [[unlikely]] \
      return ::tl::unexpected(std::move(pg_result_).error());        \
  } while (false)
#define PG_JOIN_(a, b) a##b
#define PG_JOIN(a, b) PG_JOIN_(a, b)
#define PG_ASSIGN(declaration, ...) PG_ASSIGN_(PG_JOIN(pg_value_, __LINE__), declaration, __VA_ARGS__)
#define PG_ASSIGN_(temporary, declaration, ...)            \
  auto temporary = (__VA_ARGS__);                          \
  if (!temporary) [[unlikely]]                             \
    return ::tl::unexpected(std::move(temporary).error()); \
  declaration = std::move(*temporary)
