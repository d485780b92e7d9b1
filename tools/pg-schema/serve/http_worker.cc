#include "tools/pg-schema/serve/http_worker.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "core/base/limits.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr size_t kHeaderBytesMax = 64 << 10;
constexpr size_t kBodyBytesMax = 2 * kRestBodyBytesMax;  // as it is sent, in chunks
constexpr Duration kRequestTimeMax = 10s;                // to send it
constexpr Duration kResponseTimeMax = 10s;               // to take the answer
constexpr Duration kIdleTimeMax = 5s;
constexpr Duration kLookInterval = 100ms;  // how often one that is idle looks for others
constexpr int kRequestsMax = 1000;         // on one connection
constexpr Duration kFinishTimeMax = 1s;
// In a path of ours; whatever is longer does not have to be looked through.
constexpr size_t kPathBytesMax = 2 * kSubjectBytesMax;

bool is_json(const std::string& content_type) {
  static const std::set<std::string> types = {"", kRestContentType, "application/vnd.schemaregistry+json",
                                              "application/json", "application/octet-stream"};
  return types.contains(content_type.substr(0, content_type.find_first_of("; ")));
}

}  // namespace

// A request no longer and no slower than it may be.
class HttpWorker::BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(const TcpConnection& connection, Clock& clock) : connection_(connection), clock_(clock) {}

  void begin_request() {
    left_ = kHeaderBytesMax;
    read_deadline_ = clock_.after(kRequestTimeMax);
  }
  void begin_body() { left_ = kBodyBytesMax; }
  bool has_unread() const { return position_ < end_; }
  bool has_failed() const { return failed_; }

  bool is_readable() const override { return !failed_; }
  bool is_writable() const override { return !failed_; }

  ssize_t read(char* into, size_t size) override {
    if (position_ == end_ && !fill()) return 0;
    const size_t count = std::min(size, end_ - position_);
    std::copy_n(buffer_.begin() + static_cast<ptrdiff_t>(position_), count, into);
    position_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, size_t size) override {
    if (!connection_.write(as_bytes(std::string_view(from, size)), clock_.after(kResponseTimeMax))) failed_ = true;
    return failed_ ? -1 : static_cast<ssize_t>(size);
  }

  // Nobody asks.
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  bool fill() {
    position_ = end_ = 0;
    const size_t wanted = std::min(left_, buffer_.size());
    const auto got = wanted == 0
                         ? Result<size_t>(0)
                         : connection_.read(std::as_writable_bytes(std::span(buffer_)).first(wanted), read_deadline_);
    end_ = got.value_or(0);
    left_ -= end_;
    return end_ > 0;
  }

  const TcpConnection& connection_;
  Clock& clock_;
  std::array<char, 16 << 10> buffer_;
  size_t position_ = 0, end_ = 0;
  size_t left_ = 0;
  Deadline read_deadline_;
  bool failed_ = false;
};

HttpWorker::HttpWorker(HttpService& service) : service_(&service) {
  set_payload_max_length(kRestBodyBytesMax);
  set_keep_alive_timeout(kIdleTimeMax / 1s);
  set_keep_alive_max_count(kRequestsMax);
  set_pre_routing_handler(
      [this](const auto& request, auto& response) { return answer_without_body(request, response); });
  const auto with_body = [this](const auto& request, auto& response, const auto& content) {
    answer_with_body(request, response, content);
  };
  Post(R"([\s\S]*)", httplib::Server::HandlerWithContentReader(with_body));
  Put(R"([\s\S]*)", httplib::Server::HandlerWithContentReader(with_body));
  // What it refuses itself.
  set_error_handler(Handler([this](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty()) return;
    refuse(request, response, response.status,
           response.status == 414 ? "the path is too long" : "this is not a request that can be answered");
  }));
}

Result<> HttpWorker::run() {
  for (;;) {
    ++service_->free_workers;
    auto connection = service_->listener.accept();
    --service_->free_workers;
    if (!connection && connection.error().code == Errc::interrupted) return {};
    PG_CHECK(connection);
    serve(*connection);
  }
}

void HttpWorker::serve(const TcpConnection& connection) {
  BoundedStream stream(connection, service_->clock);
  stream_ = &stream;
  for (int requests = 1; requests <= kRequestsMax; ++requests) {
    if (!stream.has_unread() && !await_request(connection)) return;
    stream.begin_request();
    keep_ = true;
    bool closed = false;
    const bool done = process_request(stream, requests == kRequestsMax, closed, nullptr);
    if (stream.has_failed()) return;
    if (!done || closed || !keep_) break;
  }
  connection.finish(kRestBodyBytesMax, service_->clock.after(kFinishTimeMax));
}

bool HttpWorker::await_request(const TcpConnection& connection) {
  const Deadline deadline = service_->clock.after(kIdleTimeMax);
  for (;;) {
    const auto ready = connection.wait(std::min(deadline, service_->clock.after(kLookInterval)));
    if (!ready || *ready) return ready.has_value();
    if (service_->clock.now() >= deadline) return false;
    if (service_->free_workers == 0 && service_->listener.is_asked()) return false;
  }
}

httplib::Server::HandlerResponse HttpWorker::answer_without_body(const httplib::Request& request,
                                                                 httplib::Response& response) {
  const bool takes_body = request.method == "POST" || request.method == "PUT";
  const bool is_chunked = request.has_header("Transfer-Encoding");
  const auto size = request.get_header_value<uint64_t>("Content-Length");
  if (request.path.size() > kPathBytesMax) refuse(request, response, 414, "the path is too long");
  // A page that a browser shows may send requests to this machine; it cannot read the answers.
  else if (request.method != "GET" && request.has_header("Origin"))
    refuse(request, response, 403, "web pages may not change anything here");
  else if (takes_body && !is_json(request.get_header_value("Content-Type")))
    refuse(request, response, 415, std::string("the body is to be ") + kRestContentType);
  else if (takes_body && !is_chunked && !request.has_header("Content-Length"))
    refuse(request, response, 411, "how long is the body?");
  else if (takes_body && size > kRestBodyBytesMax)
    refuse(request, response, 413, "the body is too large");
  else if (takes_body)
    return HandlerResponse::Unhandled;
  else if (is_chunked || size > 0)
    refuse(request, response, 400, fmt::format("a {} has no body here", request.method));
  else
    answer(request, response, "");
  return HandlerResponse::Handled;
}

void HttpWorker::answer_with_body(const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& content) {
  stream_->begin_body();
  std::string body;
  bool fits = true;
  const bool whole = content([&](const char* data, size_t size) {
    fits = body.size() + size <= kRestBodyBytesMax;
    if (fits) body.append(data, size);
    return fits;
  });
  // The status is httplib's, where it has not called us.
  if (whole)
    answer(request, response, body);
  else if (!fits || response.status == 413)
    refuse(request, response, 413, "the body is too large");
  else
    refuse(request, response, response.status == 415 ? 415 : 400, "the body cannot be read");
}

void HttpWorker::answer(const httplib::Request& request, httplib::Response& response, const std::string& body) {
  auto said = service_->api.handle({request.method, request.target, body}, service_->clock.after(service_->timeout));
  response.status = said.status;
  response.set_content(std::move(said.body), kRestContentType);
}

// Whether the body was read is not known then, so the connection ends.
void HttpWorker::refuse(const httplib::Request& request, httplib::Response& response, int status,
                        const std::string& why) {
  keep_ = false;
  response.status = status;
  if (request.get_header_value("Connection") != "close") response.set_header("Connection", "close");
  response.set_content(rest_error(status, why).body, kRestContentType);
}

}  // namespace pg
