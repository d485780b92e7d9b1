// One value checked against a schema.
//
// Bounded in depth and in work, whatever schema and value are: a schema can refer to itself so that checking never
// ends, or takes a time that doubles with each level.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/schema/json/json_document.h"
#include "core/schema/json/json_place.h"

namespace pg {

class JsonValidation {
 public:
  // `value_bytes`: of the value's text; the work may grow with it.
  JsonValidation(const JsonDocument& document, size_t value_bytes);

  // Errc::invalid_argument: it does not match, where and why.
  Result<> run(const Json& value);

  // For the checks (json_checks.h).
  bool applies(const Json& schema, const Json& value, const JsonPlace& place);
  // The same, but what fails is not noted: a schema that need not apply.
  bool applies_quietly(const Json& schema, const Json& value, const JsonPlace& place);
  const JsonDocument& document() const { return document_; }
  // False, when there has been too much of it.
  bool work(size_t steps);

  // Notes a failure. Returns false.
  template <class... Arguments>
  bool refuse(const JsonPlace& place, fmt::format_string<Arguments...> reason, Arguments&&... arguments) {
    if (!quiet_) note(place, fmt::format(reason, std::forward<Arguments>(arguments)...));
    return false;
  }

 private:
  void note(const JsonPlace& place, std::string_view reason);
  bool applies_object(const Json& schema, const Json& value, const JsonPlace& place);
  bool stop(std::string reason);

  const JsonDocument& document_;
  size_t work_left_;
  int depth_ = 0;
  bool quiet_ = false;
  std::vector<std::string> failures_;  // the first few
  bool more_ = false;                  // there are more than those
  std::string stopped_;                // why it was given up
};

// As a part of a message: short, whatever it is, and made only if there is a message.
struct Shown {
  const Json& value;
};
inline Shown shown(const Json& value) { return {value}; }
std::string to_text(const Shown& shown);

}  // namespace pg

// Lets fmt print a value that a message shows.
template <>
struct fmt::formatter<pg::Shown> : fmt::formatter<std::string> {
  template <class Context>
  auto format(const pg::Shown& shown, Context& context) const {
    return fmt::formatter<std::string>::format(pg::to_text(shown), context);
  }
};
