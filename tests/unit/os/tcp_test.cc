#include "core/os/tcp.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("tcp: an address is a host and a port, and nothing else") {
  const auto text = [](const std::string& address) {
    const auto parsed = parse_tcp_address(address);
    return parsed ? parsed->host + " " + std::to_string(parsed->port) : std::string();
  };
  CHECK(text("127.0.0.1:8081") == "127.0.0.1 8081");
  CHECK(text("localhost:0") == "localhost 0");
  CHECK(text("[::1]:65535") == "::1 65535");
  for (const char* wrong : {"", ":", ":8081", "8081", "h", "h:", "h:x", "h:-1", "h:65536", "h:80 ", "::1:80", "[]:80",
                            "[::1:80", "::1]:80", "a:b:80"}) {
    CAPTURE(wrong);
    CHECK(code_of(parse_tcp_address(wrong)) == Errc::invalid_argument);
  }
}

TEST_CASE("tcp: a port is one program's") {
  const auto first = must(TcpListener::open({"127.0.0.1", 0}));
  CHECK_FALSE(first.is_asked());
  const auto own = must(parse_tcp_address(first.address()));
  CHECK(own.host == "127.0.0.1");
  CHECK(own.port > 0);
  const auto error = error_of(TcpListener::open(own));
  CHECK(error.code == Errc::already_exists);
  CHECK(error.message().find("Address already in use") != std::string::npos);
  CHECK(code_of(TcpListener::open({"no such host", 0})) == Errc::invalid_argument);
}
