// Confluent's REST API on a Registry: a request as text to a status and a JSON text. Knows nothing of sockets.
//
// The paths, parameters, bodies and error codes are those of Confluent's Schema Registry, so that its clients work with
// this one. What that registry supports and this one does not is refused if leaving it out would change what a schema
// means or which rules hold (references, metadata, rules, settings other than the level and the mode, forms of a
// schema). Otherwise it is ignored, like unknown parameters.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "core/schema/registry.h"

namespace pg {

// What a request's body may be: a schema in which every other character is escaped, and some more.
inline constexpr size_t kRestBodyBytesMax = 4 * kSchemaBytesMax;
inline constexpr const char* kRestContentType = "application/vnd.schemaregistry.v1+json";

// A request as HTTP delivers it.
struct RestRequest {
  std::string_view method;  // "GET", as are all words of HTTP
  std::string_view target;  // percent-encoded, with its query: "/subjects/a%2Fb?deleted=true"
  std::string_view body;
};

// The answer to a request.
struct RestResponse {
  int status = 200;
  std::string body;  // of kRestContentType
};

// {"error_code":40401,"message":"…"}. `code` may be a plain status of HTTP.
RestResponse rest_error(int code, std::string_view message);

class RestApi {
 public:
  // Borrows the registry, which nobody else uses.
  RestApi(Registry& registry, CompatibilityPolicy policy) : registry_(&registry), policy_(policy) {}

  // From any thread; one request at a time is worked on. What it answers with is on stable storage: an id that a client
  // writes values with must not be given again after a power cut.
  RestResponse handle(const RestRequest& request, Deadline deadline);

 private:
  std::mutex mutex_;
  Registry* registry_;
  CompatibilityPolicy policy_;
};

}  // namespace pg
