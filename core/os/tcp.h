// TCP, for a server: one socket that others connect to, and what is connected. Every wait ends with a stop signal.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/types.h"

namespace pg {

struct TcpAddress {
  std::string host;
  int port = 0;
};
// "127.0.0.1:8081", "localhost:0", "[::1]:8081". invalid_argument.
Result<TcpAddress> parse_tcp_address(const std::string& text);

// One end of a connection. Not thread-safe.
class TcpConnection {
 public:
  TcpConnection(TcpConnection&&) noexcept;
  ~TcpConnection();  // closes it

  // Whether a read would return at once, waiting until `deadline`. interrupted: a stop signal arrived.
  Result<bool> wait(Deadline deadline) const;
  // What there is, at most into.size() bytes; 0 at the end. timed_out, interrupted.
  Result<size_t> read(MutableBytes into, Deadline deadline) const;
  // All of it. timed_out. A stop signal lets it be finished.
  Result<> write(ByteView bytes, Deadline deadline) const;
  // Says that nothing more comes, and waits for the other end to notice, as long as it sends no more than `most` bytes:
  // what is closed with bytes unread may take the answer from it that it was to read.
  void finish(size_t most, Deadline deadline) const;

 private:
  friend class TcpListener;
  struct State;
  explicit TcpConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Thread-safe: any number of threads may accept.
class TcpListener {
 public:
  // Port 0: one that is free. already_exists: another program has the port; invalid_argument: no such host.
  static Result<TcpListener> open(const TcpAddress& address);
  TcpListener(TcpListener&&) noexcept;
  ~TcpListener();

  // As others connect to it: "127.0.0.1:8081", "[::1]:8081".
  const std::string& address() const { return address_; }
  // interrupted: a stop signal arrived.
  Result<TcpConnection> accept() const;
  // Whether somebody waits to be accepted.
  bool is_asked() const;

 private:
  struct State;
  TcpListener(std::unique_ptr<State> state, std::string address);
  std::unique_ptr<State> state_;
  std::string address_;
};

}  // namespace pg
