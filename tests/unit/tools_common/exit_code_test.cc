#include "tools/common/exit_code.h"

#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("exit_code: every error has its status") {
  const std::pair<Errc, int> rows[] = {
      {Errc::not_found, 3},    {Errc::already_exists, 1}, {Errc::invalid_argument, 2},
      {Errc::out_of_range, 3}, {Errc::corrupt, 6},        {Errc::unsupported_version, 1},
      {Errc::busy, 4},         {Errc::timed_out, 4},      {Errc::interrupted, 4},
      {Errc::fenced, 4},       {Errc::not_leader, 4},     {Errc::not_durable, 5},
      {Errc::no_space, 7},     {Errc::limit, 7},          {Errc::io, 1}};
  for (const auto& [code, status] : rows) {
    CAPTURE(code);
    CHECK(int{exit_code(code)} == status);
  }
}
