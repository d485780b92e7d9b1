#include "core/os/mounts.h"

#include <unistd.h>

#include "tests/support/printing.h"
#include "tests/support/temp_dir.h"

using namespace pg;

TEST_CASE("mounts: the mount point of fstab that is not mounted") {
  const char* const fstab =
      "# <device> <point>\n"
      "UUID=1 / ext4 defaults 0 1\n"
      "/dev/sdb1\t/mnt/data ext4 noauto 0 2\n"
      "/dev/sdc1 /mnt/data/inner/ xfs defaults 0 2\n"
      "/dev/sdd1 /mnt/my\\040disk ext4 defaults 0 2\n"
      "/swapfile none swap sw 0 0\n"
      "#/dev/sde1 /old ext4 defaults 0 2\n"
      "broken\n";
  const char* const none = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
  const char* const data =
      "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 8:17 / /mnt/data rw - ext4 /dev/sdb1 rw\n31 22 8:49 / "
      "/mnt/my\\040disk rw - ext4 x rw\n";
  struct Row {
    const char *mountinfo, *path, *point;
  };
  const Row rows[] = {
      {none, "/mnt/data", "/mnt/data"},
      {none, "/mnt/data/pg", "/mnt/data"},
      {none, "/mnt/database", ""},
      {none, "/mnt", ""},
      {none, "/home/x", ""},
      {none, "/old/x", ""},
      {none, "/mnt/my disk/pg", "/mnt/my disk"},
      {none, "/mnt/data/inner/pg", "/mnt/data/inner"},
      {data, "/mnt/data/pg", ""},
      {data, "/mnt/data/inner/pg", "/mnt/data/inner"},
      {data, "/mnt/my disk/pg", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CHECK(unmounted_point(fstab, row.mountinfo, row.path) == row.point);
  }
  CHECK(unmounted_point("", "", "/mnt") == "");
}

TEST_CASE("mounts: full_path") {
  CHECK(must(full_path("/a//b/./c/../d/")) == "/a/b/d");
  CHECK(must(full_path("/..")) == "/");
  CHECK(must(full_path("/")) == "/");
  char here[4096];
  REQUIRE(getcwd(here, sizeof here) != nullptr);
  CHECK(must(full_path("x/y")) == std::string(here) + "/x/y");
  CHECK(must(full_path(".")) == here);
}

TEST_CASE("mounts: a directory that was made again is another one") {
  const Mounts mounts = posix_mounts();
  const TempDir temporary;
  const std::string path = temporary.path() + "/d";
  PosixFileSystem files;
  CHECK_FALSE(mounts.identify(path));
  must(files.make_directory(path));
  const auto first = mounts.identify(path);
  REQUIRE(first);
  CHECK(mounts.identify(path) == first);
  must(files.make_directory(path + "2"));
  CHECK(mounts.identify(path + "2") != first);
  CHECK(mounts.identify(path + "2")->device == first->device);
}

TEST_CASE("mounts: links are resolved as far as a path exists") {
  const TempDir directory;
  const Mounts mounts = posix_mounts();
  const std::string real = mounts.resolve(directory.path());
  must(PosixFileSystem().make_directory(real + "/a"));
  REQUIRE(symlink("a", (real + "/link").c_str()) == 0);
  REQUIRE(symlink("/", (real + "/root").c_str()) == 0);
  CHECK(mounts.resolve(real + "/link") == real + "/a");
  CHECK(mounts.resolve(real + "/link/b/c") == real + "/a/b/c");
  CHECK(mounts.resolve(real + "/root/no such") == "/no such");
  CHECK(mounts.resolve("/no such/x") == "/no such/x");
  CHECK(mounts.resolve("/") == "/");
}
