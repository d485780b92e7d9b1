// Results in tests: must() unwraps what has to work, error_of() looks at what has to fail.
#pragma once

#include <stdexcept>
#include <utility>

#include "core/base/result.h"

namespace pg {

// Throws the error's message, which doctest then reports as the test's failure.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error("unexpected error: " + result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Throws if there is no error.
template <class T>
Error error_of(const Result<T>& result) {
  if (result) throw std::runtime_error("an error was expected");
  return result.error();
}

template <class T>
Errc code_of(const Result<T>& result) {
  return error_of(result).code;
}

}  // namespace pg
