#include "tests/crash/workload.h"

namespace pg::crash {
namespace {

const ConfigMap kSmall{{"segment.bytes", "1024"}, {"index.interval.bytes", "100"}};

ConfigMap small_and(const ConfigMap& more) {
  ConfigMap config = kSmall;
  config.insert(more.begin(), more.end());
  return config;
}

class Script {
 public:
  std::vector<Step> steps;

  void add(std::string name, std::function<Result<>(Client&)> run) {
    steps.push_back({std::move(name), std::move(run)});
  }
  void create(const std::string& topic, int32_t partitions, const ConfigMap& config) {
    add("create " + topic, [=](Client& c) { return c.create(topic, partitions, config); });
  }
  void append(const std::string& topic, int32_t partition, int times, int keys = 0) {
    for (int i = 0; i < times; ++i) {
      add("append to " + topic, [=](Client& c) { return c.append(topic, partition, 1 + i % 3, keys); });
    }
  }
  void flush(const std::string& topic, int32_t partition) {
    add("flush " + topic, [=](Client& c) { return c.flush(topic, partition); });
  }
  void close() {
    add("close", [](Client& c) { return c.close(), Result<>(); });
  }
};

// Segments roll with what is flushed and what is not; then the beginning is deleted, by hand and by size.
void append_and_trim(Script& s) {
  s.create("plain", 2, kSmall);
  s.append("plain", 0, 3);
  s.flush("plain", 0);
  s.append("plain", 0, 6);
  s.append("plain", 1, 2);
  s.flush("plain", 0);
  s.append("plain", 0, 4);
  s.add("produce", [](Client& c) { return c.produce("plain", 1, 12); });
  s.add("trim", [](Client& c) { return c.trim("plain", 0, Offset(7)); });
  s.add("trim to the end", [](Client& c) { return c.trim("plain", 1, Offset(10)); });
  s.append("plain", 0, 4);
  s.close();
  s.add("alter", [](Client& c) {
    return c.alter("plain", {{"retention.bytes", "1500"}, {"file.delete.delay.ms", "0"}}, 3);
  });
  s.append("plain", 0, 8);
  s.append("plain", 2, 2);
  s.flush("plain", 2);
  s.add("retention", [](Client& c) { return c.maintain("plain", 0); });
  s.flush("plain", 0);
}

void compact(Script& s) {
  s.create(
      "table", 1,
      small_and({{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}, {"delete.retention.ms", "0"}}));
  s.append("table", 0, 8, 3);
  s.add("tombstone", [](Client& c) { return c.append_tombstone("table", 0, "k1"); });
  s.append("table", 0, 5, 5);
  s.add("compact", [](Client& c) { return c.maintain("table", 0); });
  s.append("table", 0, 7, 4);
  s.add("compact again", [](Client& c) { return c.maintain("table", 0); });
  s.append("table", 0, 2, 4);
}

void send_input(Script& s) {
  s.create("input", 2, kSmall);
  s.add("input", [](Client& c) { return c.send_input(8); });
  s.add("longer input", [](Client& c) { return c.send_input(24); });
}

// Only below the recovery point, which a producer notes at its end, damage can be told from a torn tail.
void repair(Script& s) {
  s.create("spoilt", 1, kSmall);
  s.add("produce", [](Client& c) { return c.produce("spoilt", 0, 9); });
  s.add("damage", [](Client& c) { return c.damage("spoilt", 0); });
  s.add("repair", [](Client& c) { return c.repair("spoilt", 0); });
  s.append("spoilt", 0, 2);
  s.flush("spoilt", 0);
}

void delete_and_make_again(Script& s) {
  s.create("brief", 2, kSmall);
  s.append("brief", 1, 6);
  s.flush("brief", 1);
  s.add("delete brief", [](Client& c) { return c.remove("brief"); });
  s.create("brief", 1, {});
  s.append("brief", 0, 1);
  s.flush("brief", 0);
}

}  // namespace

const std::vector<Step>& workload() {
  static const std::vector<Step> steps = [] {
    Script script;
    append_and_trim(script);
    compact(script);
    send_input(script);
    repair(script);
    delete_and_make_again(script);
    script.close();
    return script.steps;
  }();
  return steps;
}

}  // namespace pg::crash
