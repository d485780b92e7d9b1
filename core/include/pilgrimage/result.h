// Result<T>: how every call reports failure. No call throws, prints or exits.
//
// An operating error is an Error in a Result. "Nothing there" is not an error: it is an empty std::optional.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace pilgrimage {

// What kind of failure it was: a closed list, by which callers decide what to do.
enum class Errc {
  not_found,            // no such topic, partition or offset
  already_exists,       // the name or the directory is in use
  invalid_argument,     // the caller's value is malformed
  out_of_range,         // an offset outside the log
  corrupt,              // bytes that are not what was written
  unsupported_version,  // a file from a newer program, or a feature that this build or this cluster lacks
  busy,                 // another process holds what is needed
  timed_out,            // no progress within the caller's deadline
  interrupted,          // a stop signal arrived while the call waited
  fenced,               // a newer leader epoch exists
  not_leader,           // this replica may not be written
  not_durable,          // written, but not as durable as asked
  no_space,             // disk full or quota reached
  limit,                // a configured limit would be passed
  conflict,             // an assumption of the caller does not hold
  io,                   // any other refusal of the operating system
};

// One failure: its kind, and the words for people.
struct Error {
  Errc code = Errc::io;
  std::string what;                 // lower case, no full stop, problem first, subject quoted
  std::string path = {};            // the file concerned, or empty
  std::optional<int64_t> position;  // byte position in `path`
  int sys_errno = 0;                // errno of the failed call, or 0

  // One line: "cannot append to 'orders-0': No space left on device (/…/000….log @ 8192)".
  std::string message() const;
};

namespace detail {
template <class T, class E>
void takes_expected(const tl::expected<T, E>&);
template <class R>
concept IsExpected = requires(const R& result) {
  takes_expected(result);
};
}  // namespace detail

// A value or an Error. The compiler warns about a Result that is dropped; `(void)` with a reason says that it may be.
template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  Result() = default;
  Result(Base other) : Base(std::move(other)) {}
  template <class E>
  requires(std::is_constructible_v<Error, E&&>) Result(tl::unexpected<E> error)
      : Base(tl::unexpect, std::move(error).value()) {}
  template <class U = T>
  requires(std::is_constructible_v<T, U&&> &&
           !detail::IsExpected<std::remove_cvref_t<U>>) explicit(!std::is_convertible_v<U&&, T>) Result(U&& value)
      : Base(tl::in_place, std::forward<U>(value)) {}
  template <class U>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<U, T>) Result(tl::expected<U, Error> other)
      : Base(other ? Base(tl::in_place, std::move(*other)) : Base(tl::unexpect, std::move(other).error())) {}

  // What `next`, a function that returns a Result, makes of the value; an error stays what it is.
  template <class F>
  auto and_then(F&& next) && {
    if constexpr (std::is_void_v<T>) {
      using Next = decltype(std::forward<F>(next)());
      return *this ? std::forward<F>(next)() : Next(tl::unexpected(std::move(*this).error()));
    } else {
      using Next = decltype(std::forward<F>(next)(std::move(**this)));
      return *this ? std::forward<F>(next)(std::move(**this)) : Next(tl::unexpected(std::move(*this).error()));
    }
  }
  // What `instead`, a function that returns such a Result, makes of the error; a value stays what it is.
  template <class F>
  Result or_else(F&& instead) && {
    return *this ? std::move(*this) : Result(std::forward<F>(instead)(std::move(*this).error()));
  }
};

// The error that a function with a Result returns.
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string what, std::string path = {},
                                                std::optional<int64_t> position = {}, int sys_errno = 0) {
  return tl::unexpected(Error{code, std::move(what), std::move(path), position, sys_errno});
}

}  // namespace pilgrimage
