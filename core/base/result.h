// Result<T>: how every operation in core reports failure. Nothing in core throws, prints or exits.
//
// Three channels, never mixed: an operating error is an Error in a Result; a bug is a PG_ASSERT (on in release);
// only a tool's main ends the process. "Nothing there" is not an error: it is an empty std::optional.
#pragma once

#include <pilgrimage/result.h>
#include <utility>

namespace pg {

using pilgrimage::Errc;
using pilgrimage::Error;
using pilgrimage::fail;
using pilgrimage::Result;

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
