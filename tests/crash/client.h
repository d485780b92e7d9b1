// A process that works on a home and tells the history what it tries and what it is told.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/local/producer.h"
#include "core/store/home.h"
#include "tests/crash/history.h"

namespace pg::crash {

class Client {
 public:
  // Borrows both.
  Client(const Env& env, std::string path, History& history) : env_(env), path_(std::move(path)), history_(history) {}

  Result<> create(const std::string& topic, int32_t partitions, const ConfigMap& config);
  Result<> alter(const std::string& topic, const ConfigMap& config, std::optional<int32_t> partitions = {});
  Result<> remove(const std::string& topic);

  // `count` records in one batch; with `keys`, their keys go round among so many.
  Result<> append(const std::string& topic, int32_t partition, int count, int keys = 0);
  Result<> append_tombstone(const std::string& topic, int32_t partition, const std::string& key);
  Result<> flush(const std::string& topic, int32_t partition);
  // Through a Producer that flushes each batch, and its close(), which notes recovery points.
  Result<> produce(const std::string& topic, int32_t partition, int count);
  // Sends `lines` of the input of the producer with a name, from the first on, as often as anybody does.
  Result<> send_input(int32_t lines);

  Result<> trim(const std::string& topic, int32_t partition, Offset to);
  Result<> maintain(const std::string& topic, int32_t partition);  // retention and compaction
  // Spoils the first batch of a partition on the disk itself.
  Result<> damage(const std::string& topic, int32_t partition);
  Result<> repair(const std::string& topic, int32_t partition);
  // For a file system that has stopped while the machine went on: records that readers of this boot have seen and that
  // the disk does not have are damage, and are repaired.
  void repair_all();

  // Lets go of all partitions, as at the end of a process.
  void close() { logs_.clear(); }

  // Throws Violation where the home is not as the history demands; damaged partitions are repaired first. Topics of
  // which nothing is known for sure are settled.
  void check(Loss loss);
  // Every partition takes records, and keeps them; one that is offline takes none.
  void check_goes_on();
  // Nothing is left over of topics that are gone.
  void check_no_leftovers();

  // The partitions of which a flush has failed in this boot.
  using Place = std::pair<std::string, int32_t>;
  std::vector<Place> offline();

  Result<Home*> home();

 private:
  Deadline soon() const { return env_.clock.after(std::chrono::seconds(30)); }
  Result<PartitionLog*> log(const std::string& topic, int32_t partition);
  Result<> append_entries(const std::string& topic, int32_t partition, const std::vector<Entry>& entries);
  Entry next_entry(int keys);
  void check_topic(const std::string& name, TopicHistory& topic, Loss loss);
  void check_log(const std::string& topic, int32_t partition, LogHistory& history, Loss loss);
  void check_input();
  std::vector<std::string> read_input(int32_t partition);

  Env env_;
  std::string path_;
  History& history_;
  std::unique_ptr<Home> home_;
  std::map<Place, std::unique_ptr<PartitionLog>> logs_;
};

// Throws Violation instead of an error.
template <class T>
T need(const std::string& what, Result<T> result) {
  if (!result) throw Violation("cannot " + what + ": " + result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace pg::crash
