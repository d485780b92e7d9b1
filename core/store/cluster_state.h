// cluster.state: one mapped file that all processes of a home share while brokers run. Derived: it is made anew after a
// restart of the machine, or when somebody deletes it, and no decision that must be right depends on it.
//
//  * `metadata_word` moves when a topic's or the cluster's metadata has changed, so that no process has to look all the
//    time;
//  * each broker has a slot with its heartbeat and its state. The controller writes the health that it saw into the
//    slot, for people to read.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/os/env.h"

namespace pg {

// What a broker says of its disk.
enum class DiskState : uint32_t { unknown = 0, good = 1, full = 2, failed = 3 };

struct BrokerSlot {
  std::atomic<uint64_t> heartbeat;  // counts; 0: has not run since the machine started
  std::atomic<int32_t> pid;         // for people
  std::atomic<uint32_t> stopping;
  std::atomic<uint32_t> disk;       // DiskState
  std::atomic<uint32_t> noticed;    // BrokerHealth + 1, as a controller saw it; 0: never
  std::atomic<int64_t> noticed_ms;  // by the wall clock
  std::atomic<int64_t> started_ms;
  uint64_t reserved[3];
};

struct ClusterStatePage {
  static constexpr uint64_t kMagic = 0x5453554c43475001;  // "\1PGCLUST"
  static constexpr uint32_t kVersion = 1;
  static constexpr size_t kBytes = 8192;

  uint64_t magic;
  uint32_t version;
  uint32_t boot_id_kind;  // see core/os/boot.h
  uint8_t boot_id[16];
  uint64_t device, inode;  // of this very file
  alignas(64) std::atomic<uint32_t> metadata_word;
  alignas(64) BrokerSlot brokers[64];
};
static_assert(sizeof(BrokerSlot) == 64 && sizeof(ClusterStatePage) <= ClusterStatePage::kBytes);

class ClusterState {
 public:
  // Maps the file, and makes it if there is none of this boot.
  static Result<std::unique_ptr<ClusterState>> open(const Env& env, const std::string& home);

  ClusterStatePage& page() { return *page_; }
  BrokerSlot& broker(BrokerId id) { return page_->brokers[static_cast<size_t>(id.value)]; }
  // Whether the file was replaced or deleted: open it again.
  bool is_stale() const;

  void announce_metadata();
  WakeWord metadata_word() const { return {&page_->metadata_word, page_->metadata_word.load()}; }

 private:
  explicit ClusterState(const Env& env) : env_(env) {}
  Result<bool> map(const std::string& path);

  Env env_;
  std::unique_ptr<File> file_;
  std::unique_ptr<Mapping> mapping_;
  ClusterStatePage* page_ = nullptr;
};

}  // namespace pg
