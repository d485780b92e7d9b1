// One thread of 'pg-schema serve': takes connections one after the other and answers what is asked on them.
//
// cpp-httplib understands HTTP; what it reads comes from us, so that a request has an end: a size, a time, and a stop
// signal. Its own server waits for those who never finish, and for a chunked body or headers without end it has no
// bound.
#pragma once

#include <httplib.h>

#include <atomic>
#include <string>

#include "core/os/tcp.h"
#include "core/schema/rest_api.h"

namespace pg {

// Shared by all workers, which change nothing in it but the number.
struct HttpService {
  const TcpListener& listener;
  RestApi& api;
  Clock& clock;
  Duration timeout;  // of a request, from when it has been read
  std::atomic<int> free_workers = 0;
};

class HttpWorker : private httplib::Server {
 public:
  explicit HttpWorker(HttpService& service);

  // Serves until a stop signal arrives; that is not an error.
  Result<> run();

 private:
  void serve(const TcpConnection& connection);
  // Until the next request begins. False: there is none, or the connection has been idle while others wait.
  bool await_request(const TcpConnection& connection);
  HandlerResponse answer_without_body(const httplib::Request& request, httplib::Response& response);
  void answer_with_body(const httplib::Request& request, httplib::Response& response,
                        const httplib::ContentReader& content);
  void answer(const httplib::Request& request, httplib::Response& response, const std::string& body);
  void refuse(const httplib::Request& request, httplib::Response& response, int status, const std::string& why);

  class BoundedStream;

  HttpService* service_;
  BoundedStream* stream_ = nullptr;  // of the connection that is served
  bool keep_ = true;                 // the connection, behind this request
};

}  // namespace pg
