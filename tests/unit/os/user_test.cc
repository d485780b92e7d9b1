#include "core/os/user.h"

#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("user: the home directory that a passwd file names") {
  const char* const passwd =
      "root:x:0:0:root:/root:/bin/bash\n"
      "short:x:7\n"
      "ana:x:1000:1000:Ana,,,:/home/ana:/bin/zsh\n"
      "none:x:1001:1001:::\n"
      "twice:x:1000:1000::/home/other:/bin/sh";
  CHECK(home_directory_in(passwd, 0) == "/root");
  CHECK(home_directory_in(passwd, 1000) == "/home/ana");
  CHECK(home_directory_in(passwd, 1001) == "");
  CHECK(home_directory_in(passwd, 7) == "");
  CHECK(home_directory_in(passwd, 5) == "");
  CHECK(home_directory_in("", 0) == "");
}
