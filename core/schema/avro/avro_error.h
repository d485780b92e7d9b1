// How errors say where: "/fields/2/type: unknown type 'foo'". What fails gives the reason; each level above puts its
// step in front, so that nothing is spent on places while all is well.
#pragma once

#include <fmt/format.h>

#include "core/base/result.h"

namespace pg {

inline tl::unexpected<Error> avro_fail(Errc code, std::string_view reason) {
  return fail(code, fmt::format(": {}", reason));
}

// For map_error. The step must live until then.
inline auto under(std::string_view step) {
  return [step](Error error) {
    error.what = fmt::format("/{}{}", step, error.what);
    return error;
  };
}
inline auto under(std::string_view step, size_t i) {
  return [step, i](Error error) {
    error.what = fmt::format("/{}/{}{}", step, i, error.what);
    return error;
  };
}

// For an error that is made below the level that makes it.
template <class Step>
tl::unexpected<Error> at(Step step, tl::unexpected<Error> error) {
  return tl::unexpected(step(std::move(error).value()));
}

// At the top, where there may be no steps.
inline Error whole(Error error) {
  if (error.what.starts_with(": ")) error.what.erase(0, 2);
  return error;
}

}  // namespace pg
