#include "core/base/result.h"

#include <cerrno>

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Errc::invalid_argument, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  PG_ASSIGN(const int halved, half(n));
  PG_CHECK(half(halved));
  return half(halved);
}

}  // namespace

TEST_CASE("result: a message has the reason of the system, the path and the position, as far as there are any") {
  CHECK(error_of(Result<>(fail(Errc::limit, "too large"))).message() == "too large");
  CHECK(error_of(Result<>(fail(Errc::io, "cannot read", "/a/b"))).message() == "cannot read (/a/b)");
  CHECK(error_of(Result<>(fail(Errc::no_space, "cannot append", "/a/b", 8192, ENOSPC))).message() ==
        "cannot append: No space left on device (/a/b @ 8192)");
  CHECK(error_of(Result<>(fail(Errc::no_space, "cannot append", "/a/b", 0, ENOSPC))).message() ==
        "cannot append: No space left on device (/a/b @ 0)");
}

TEST_CASE("result: PG_CHECK and PG_ASSIGN hand errors up unchanged") {
  CHECK(must(quarter(12)) == 3);
  CHECK(code_of(quarter(3)) == Errc::invalid_argument);
  CHECK(error_of(quarter(6)).what == "odd");
}
