// What a registry refuses, in the codes of Confluent's Schema Registry: one table for tools and for HTTP.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/schema/schema.h"

namespace pg {

// The number is Confluent's error_code. The list is closed.
enum class RegistryCode : int {
  subject_not_found = 40401,
  version_not_found = 40402,
  schema_not_found = 40403,
  subject_deleted = 40404,           // softly, already
  subject_not_soft_deleted = 40405,  // softly first, then permanently
  version_deleted = 40406,
  version_not_soft_deleted = 40407,
  no_subject_level = 40408,  // of its own
  no_subject_mode = 40409,
  incompatible = 409,
  invalid_schema = 42201,
  invalid_version = 42202,
  invalid_level = 42203,
  invalid_mode = 42204,
  not_permitted = 42205,
  reference_exists = 42206,
  invalid_subject = 42208,
  store_failed = 50001,
  store_timed_out = 50002,
};

// The HTTP status that belongs to it: 404 of 40401.
constexpr int http_status(RegistryCode code) {
  const int number = static_cast<int>(code);
  return number < 1000 ? number : number / 100;
}

// The kind of error, and so the exit status, that it is for a tool.
constexpr Errc errc_of(RegistryCode code) {
  if (code == RegistryCode::not_permitted || code == RegistryCode::reference_exists) return Errc::conflict;
  switch (http_status(code)) {
    case 404:
      return Errc::not_found;
    case 409:
      return Errc::conflict;
    case 422:
      return Errc::invalid_argument;
    default:
      return code == RegistryCode::store_timed_out ? Errc::timed_out : Errc::io;
  }
}

struct RegistryError {
  RegistryCode code = RegistryCode::store_failed;
  Error error;                                     // what a tool says and exits with
  std::vector<Incompatibility> incompatible = {};  // with RegistryCode::incompatible: each change that is not

  // What the code says, about `subject` at `place`: "subject 's' has no version 3".
  RegistryError(RegistryCode refused, std::string what)
      : code(refused), error{errc_of(refused), std::move(what), {}, {}} {}
  // What the log could not do.
  RegistryError(Error failed)
      : code(failed.code == Errc::timed_out ? RegistryCode::store_timed_out : RegistryCode::store_failed),
        error(std::move(failed)) {}
  operator Error() const { return error; }
};

template <class T = void>
using RegistryResult = tl::expected<T, RegistryError>;

inline tl::unexpected<RegistryError> refuse(RegistryCode code, std::string what) {
  return tl::unexpected(RegistryError(code, std::move(what)));
}

}  // namespace pg
