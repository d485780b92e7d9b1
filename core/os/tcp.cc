#include "core/os/tcp.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "core/base/text.h"
#include "core/os/clock.h"
#include "core/os/signals.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr int kBacklog = 128;
// How long the listener accepts no connection after the process has run out of descriptors.
constexpr milliseconds kNoRoomPause{100};

enum class Stop { ends, passes };

int timeout_ms(Deadline deadline) {
  if (deadline == kNoDeadline) return -1;
  const auto left = ceil<milliseconds>(time_left(deadline, steady_clock::now()));
  return static_cast<int>(std::min<int64_t>(left.count(), std::numeric_limits<int>::max()));
}

// Whether `fd` is ready for `events`, or no longer connected, by `deadline`.
Result<bool> wait_for(int fd, short events, Deadline deadline, Stop stop) {
  for (Tries tries;;) {
    pollfd waited[] = {{fd, events, 0}, {stop == Stop::ends ? stop_descriptor() : -1, POLLIN, 0}};
    const int ready = poll(waited, 2, timeout_ms(deadline));
    if (stop == Stop::ends && stop_signal() != 0) return fail(Errc::interrupted, "interrupted");
    if (ready >= 0) return ready > 0;
    if (errno != EINTR || !tries.again()) return sys_fail("wait for a connection", "");
  }
}

using Found = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<Found> look_up(const TcpAddress& address) {
  addrinfo wanted = {};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &found);
  if (error != 0)
    return fail(Errc::invalid_argument, fmt::format("no address for '{}': {}", address.host, gai_strerror(error)));
  return Found(found, &freeaddrinfo);
}

Result<std::string> address_of(int fd) {
  sockaddr_storage own = {};
  socklen_t size = sizeof own;
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0)
    return sys_fail("ask for the address of a socket", "");
  if (getnameinfo(reinterpret_cast<sockaddr*>(&own), size, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return fail(Errc::io, "cannot tell the address of a socket");
  }
  return own.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace

struct TcpConnection::State {
  UniqueFd fd;
};
struct TcpListener::State {
  UniqueFd fd;
};

Result<TcpAddress> parse_tcp_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  const int64_t port =
      colon == std::string::npos ? -1 : parse_integer(std::string_view(text).substr(colon + 1)).value_or(-1);
  std::string host = text.substr(0, std::min(colon, text.size()));
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    host.clear();
  if (host.empty() || port < 0 || port > 65535)
    return fail(Errc::invalid_argument, fmt::format("'{}' is not HOST:PORT", text));
  return TcpAddress{host, static_cast<int>(port)};
}

TcpConnection::TcpConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
TcpConnection::TcpConnection(TcpConnection&&) noexcept = default;
TcpConnection::~TcpConnection() = default;

Result<bool> TcpConnection::wait(Deadline deadline) const {
  return wait_for(state_->fd.get(), POLLIN, deadline, Stop::ends);
}

Result<size_t> TcpConnection::read(MutableBytes into, Deadline deadline) const {
  for (;;) {
    PG_ASSIGN(const bool ready, wait(deadline));
    if (!ready) return fail(Errc::timed_out, "the other end of a connection sends nothing");
    const ssize_t got = retry_eintr([&] { return recv(state_->fd.get(), into.data(), into.size(), 0); });
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EAGAIN) return sys_fail("read from a connection", "");
  }
}

Result<> TcpConnection::write(ByteView bytes, Deadline deadline) const {
  for (Tries tries; !bytes.empty();) {
    const ssize_t put = retry_eintr([&] { return send(state_->fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (put < 0 && errno != EAGAIN) return sys_fail("write to a connection", "");
    if (put == 0 && !tries.again()) return nothing_written("");
    if (put >= 0) {
      if (put > 0) tries.made_progress();
      bytes = bytes.subspan(static_cast<size_t>(put));
      continue;
    }
    PG_ASSIGN(const bool ready, wait_for(state_->fd.get(), POLLOUT, deadline, Stop::passes));
    if (!ready) return fail(Errc::timed_out, "the other end of a connection takes nothing");
  }
  return {};
}

void TcpConnection::finish(size_t most, Deadline deadline) const {
  shutdown(state_->fd.get(), SHUT_WR);
  std::array<std::byte, 16 << 10> unread;
  for (size_t have = 0; have < most;) {
    const auto got = read(unread, deadline);
    if (!got || *got == 0) return;
    have += *got;
  }
}

TcpListener::TcpListener(std::unique_ptr<State> state, std::string address)
    : state_(std::move(state)), address_(std::move(address)) {}
TcpListener::TcpListener(TcpListener&&) noexcept = default;
TcpListener::~TcpListener() = default;

Result<TcpListener> TcpListener::open(const TcpAddress& address) {
  PG_ASSIGN(const auto found, look_up(address));
  const auto fault = [&](Errc code) {
    return fail(code, fmt::format("cannot listen on {} port {}", address.host, address.port), {}, {}, errno);
  };
  UniqueFd fd(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return fault(Errc::io);
  // Connections that an ended server left must not keep the port busy. A server that runs still does.
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || listen(fd.get(), kBacklog) != 0) {
    return fault(errno == EADDRINUSE ? Errc::already_exists : Errc::io);
  }
  PG_ASSIGN(auto own, address_of(fd.get()));
  return TcpListener(std::make_unique<State>(State{std::move(fd)}), std::move(own));
}

Result<TcpConnection> TcpListener::accept() const {
  for (;;) {
    PG_CHECK(wait_for(state_->fd.get(), POLLIN, kNoDeadline, Stop::ends));
    UniqueFd fd(accept4(state_->fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.get() >= 0) {
      const int on = 1;
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return TcpConnection(std::make_unique<TcpConnection::State>(TcpConnection::State{std::move(fd)}));
    }
    // Whoever it was has gone, or another thread was first; or there is no room for it now.
    if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) return sys_fail("accept connections", address_);
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      PG_CHECK(wait_for(-1, 0, steady_clock::now() + kNoRoomPause, Stop::ends));
    }
  }
}

bool TcpListener::is_asked() const {
  pollfd asked{state_->fd.get(), POLLIN, 0};
  return poll(&asked, 1, 0) > 0;
}

}  // namespace pg
