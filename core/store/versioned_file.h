// A small file that many processes change by compare-and-swap, without locks and without ever being half written.
//
// Its versions are files of their own, <path>.v1, .v2, …; the highest counts. A writer makes the next version under a
// temporary name, syncs it and links it to its name: if that name is taken, somebody else was first. Two older versions
// stay, so that a reader can finish reading one. The last version is never removed, so numbers never go back.
//
// The temporary name goes once the version's own name is on the disk. So a reader sees by the file's links whether that
// is certain, and makes it so before it believes a version that a power cut could take back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/os/env.h"

namespace pg {

struct VersionedContent {
  int64_t version = 0;
  std::string content;
};

class VersionedFile {
 public:
  VersionedFile(Env env, std::string path) : env_(std::move(env)), path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // The newest version; empty if there is none yet.
  Result<std::optional<VersionedContent>> read() const;
  // The version before one that read() returned.
  Result<std::string> read_previous(int64_t version) const;

  // Makes `content` the version after `current` (0: the first), durably. False: somebody else was first; read again
  // and decide again. A writer that cannot tell, because it was overtaken by several others, gets false too, so what
  // it decides again must recognise its own earlier success.
  Result<bool> compare_and_swap(int64_t current, std::string_view content);

  // Its number; 0 if there is none yet.
  Result<int64_t> latest_version() const;

 private:
  Result<bool> swap_once(int64_t current, std::string_view content);
  Result<std::string> read_version(int64_t version) const;
  Result<std::vector<std::string>> temporaries() const;
  void remove_older(int64_t latest) const;

  Env env_;
  std::string path_;
};

}  // namespace pg
