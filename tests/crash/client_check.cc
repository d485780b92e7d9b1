// Client's checks: whether a home is as its history demands.
#include <fmt/format.h>

#include <algorithm>

#include "core/format/path_names.h"
#include "core/log/log_reader.h"
#include "core/log/log_verify.h"
#include "tests/crash/client.h"

namespace pg::crash {
namespace {

constexpr const char* kInputTopic = "input";

std::string file_name(const std::string& path) { return std::string(names::last_component(path)); }

// Calls visit(record) for all of them.
template <class Visit>
Result<> for_each_record(PartitionLog& log, Visit visit) {
  const auto state = log.current_state();
  LogReader reader(log, state->position().log_start);
  Decompressor decompressor;
  for (;;) {
    PG_ASSIGN(const auto batch, reader.next(state->high_watermark()));
    if (!batch) return {};
    PG_ASSIGN(auto cursor, RecordCursor::begin(batch->bytes, batch->header, decompressor));
    for (RecordView record;;) {
      PG_ASSIGN(const bool more, cursor.next(record));
      if (!more) break;
      visit(record);
    }
  }
}

std::optional<std::string> owned(std::optional<std::string_view> text) {
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

Contents read_all(PartitionLog& log) {
  Contents contents{log.current_state()->position().log_start, log.current_state()->high_watermark(), {}};
  need("read " + log.name(), for_each_record(log, [&](const RecordView& record) {
         if (record.offset >= contents.start)
           contents.records[record.offset.value] = {owned(record.key), owned(record.value)};
       }));
  return contents;
}

void verify(PartitionLog& log) {
  std::string faults;
  need("verify " + log.name(), verify_log(log, [&](const Fault& fault) {
         faults += fmt::format(" {}:{} offset {}: {};", file_name(fault.path), fault.position, fault.offset.value,
                               fault.reason);
       }));
  if (!faults.empty()) throw Violation("verify finds" + faults);
}

}  // namespace

void Client::check(Loss loss) {
  need("open the home", home());
  for (auto& [name, topic] : history_.topics) {
    try {
      check_topic(name, topic, loss);
    } catch (const Violation& violation) {
      throw Violation(fmt::format("topic '{}': {}", name, violation.what()));
    }
  }
  if (history_.topics[kInputTopic].exists.now) check_input();
}

void Client::check_topic(const std::string& name, TopicHistory& topic, Loss loss) {
  Home& home = *need("open the home", this->home());
  const auto metadata = home.describe_topic(name);
  if (!metadata && metadata.error().code != Errc::not_found) need("describe", metadata);
  if (!topic.exists.may_be(metadata.has_value())) throw Violation(metadata ? "it is there" : "it is gone");
  topic.exists.settle(metadata.has_value());
  if (!metadata) return topic.logs.clear();
  const auto partitions = static_cast<int32_t>(metadata->partitions.size());
  if (!topic.config.may_be(metadata->config)) throw Violation("its configs are neither the old nor the new ones");
  if (!topic.partitions.may_be(partitions)) throw Violation(fmt::format("it has {} partitions", partitions));
  topic.config.settle(metadata->config);
  topic.partitions.settle(partitions);
  for (int32_t p = 0; p < partitions; ++p) {
    if (name == kInputTopic) continue;
    LogHistory& log = topic.logs[p];
    if (log.is_damaged()) need("repair", repair(name, p));
    check_log(name, p, log, loss);
  }
}

void Client::check_log(const std::string& topic, int32_t partition, LogHistory& history, Loss loss) {
  PartitionLog& log = *need(fmt::format("open partition {}", partition), this->log(topic, partition));
  need("open its state", log.state(soon()));
  verify(log);
  history.check(read_all(log), loss);
  if (history_.topics[topic].config.now.contains("retention.bytes")) history.deleting_below(Offset(INT64_MAX));
}

std::vector<std::string> Client::read_input(int32_t partition) {
  std::vector<std::string> values;
  PartitionLog& log = *need("open the input's partition", this->log(kInputTopic, partition));
  verify(log);
  need("read the input", for_each_record(log, [&](const RecordView& r) { values.emplace_back(r.value.value_or("")); }));
  return values;
}

// What is there begins as the input does in each partition, and when the input is sent again, all of it is there once.
void Client::check_input() {
  const int32_t partitions = history_.topics[kInputTopic].partitions.now;
  const auto count = [&](int32_t lines) {
    for (int32_t p = 0; p < partitions; ++p) {
      const auto found = read_input(p);
      for (size_t i = 0; i < found.size(); ++i) {
        const auto line = static_cast<int32_t>(i) * partitions + p;
        if (found[i] != fmt::format("line {:060}", line))
          throw Violation(fmt::format("input: {} in place of line {}", found[i], line));
      }
      const int32_t wanted = (lines - p + partitions - 1) / partitions;
      if (std::cmp_less(found.size(), wanted))
        throw Violation(fmt::format("input: {} of {} lines in partition {}", found.size(), wanted, p));
    }
  };
  count(history_.input_lines_done);
  const auto offline = this->offline();
  const bool is_stuck = std::any_of(offline.begin(), offline.end(), [](const Place& place) {
    return place.first == kInputTopic || place.first.starts_with("__");
  });
  if (is_stuck) return;
  need("send the input again", send_input(history_.input_lines));
  count(history_.input_lines);
}

void Client::check_goes_on() {
  const auto offline = this->offline();
  const auto is_offline = [&](const std::string& topic, int32_t partition) {
    return std::count(offline.begin(), offline.end(), Place(topic, partition)) != 0;
  };
  for (auto& [name, topic] : history_.topics) {
    if (!topic.exists.now || name == kInputTopic) continue;
    for (auto& [p, log] : topic.logs) {
      if (is_offline(name, p)) {
        if (append(name, p, 1, 1)) throw Violation("an offline partition took records");
        if (flush(name, p)) throw Violation("an offline partition was flushed");
        continue;
      }
      const int keys = topic.config.now.contains("cleanup.policy") ? 3 : 0;
      for (int i = 0; i < 3; ++i) need("append to " + name, append(name, p, 2, keys));
      need("flush " + name, flush(name, p));
      need("append to " + name, append(name, p, 1, keys));
    }
  }
  check(Loss::none);
  close();
  check(Loss::none);
}

// A partition whose topic was never finished stays for whoever makes that topic; what has no such use goes with the
// next topic that is made or deleted.
void Client::check_no_leftovers() {
  if (!history_.topics["sweep"].exists.now) need("make a topic", create("sweep", 1, {}));
  need("delete a topic", remove("sweep"));
  const std::string logs = names::log_directory(path_, BrokerId(0));
  for (const auto& name : need("list", env_.files.list(logs))) {
    const bool is_directory = need("look", env_.files.info(logs + "/" + name)).is_directory;
    if (is_directory && !names::parse_partition_directory(name)) throw Violation("left over: " + name);
  }
}

}  // namespace pg::crash
