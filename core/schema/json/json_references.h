// What "$ref" may name inside one document: places in it, and the names that it gives by "$id" and "$anchor".
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/result.h"
#include "core/schema/json/json_draft.h"

namespace pg {

class JsonReferences {
 public:
  JsonReferences(const Json& root, Draft draft);

  const std::string& root_base() const { return bases_.front(); }
  // The base of what is below `schema`, where `base` is that of what is around it; its names are noted. It stays as
  // long as this does. Errc::invalid_argument: a name too long.
  Result<const std::string*> enter(const Json& schema, const std::string& base);

  Result<const Json*> resolve(const std::string& base, std::string_view reference) const;

 private:
  Result<> name(const Json& schema, const std::string& uri);

  const Draft draft_;
  std::deque<std::string> bases_;
  std::unordered_map<std::string, const Json*> named_;
};

}  // namespace pg
