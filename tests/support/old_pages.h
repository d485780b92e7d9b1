// A file system that stops while the machine goes on: it is mounted again in the same boot, with what the disk had
// (tests/support/power_cut.h), and its state pages, which are stored to through maps and never synced, are as they were
// at any earlier moment.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/os/file_system.h"
#include "tests/support/seeded_random.h"

namespace pg {

class OldPages {
 public:
  // Keeps the pages below `root` as they are now.
  void note(FileSystem& files, const std::string& root);
  // Each page below `root` becomes one of those that were kept of it, made for the files that are there: they count as
  // the same ones.
  void put_back(FileSystem& survivor, const std::string& root, SeededRandom& random) const;

 private:
  struct Versions {
    uint64_t inode = 0;
    std::vector<std::string> pages;
  };
  std::map<std::string, Versions> kept_;  // by path
};

}  // namespace pg
