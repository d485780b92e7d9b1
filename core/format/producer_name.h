// The rows of __producer_ids: what a producer's name stands for in a topic.
//
//   key    version int16 = 0, name (int16 length, bytes), topic (int16 length, bytes)
//   value  version int16 = 0, producer id int64, topic id 16 bytes, number of partitions int32, and per partition:
//          count int64, start int64
#pragma once

#include <pilgrimage/producer.h>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/types.h"

namespace pg {

inline constexpr size_t kProducerNameBytesMax = pilgrimage::kInputIdBytesMax;

struct ProducerNameKey {
  std::string name;  // any bytes
  std::string topic;
  bool operator==(const ProducerNameKey&) const = default;
};

struct ProducerNameRow {
  // How far the input is in one partition.
  struct Partition {
    // Together the counts of all partitions are a cut through the input: the first so many records of it, all of them
    // on stable storage. More may be in the log, which tells.
    int64_t count = 0;
    Offset start;  // no record of the producer lies below
    bool operator==(const Partition&) const = default;
  };
  int64_t producer_id = -1;
  Uuid topic_id{};  // a topic that was deleted and made again is another one
  std::vector<Partition> partitions;

  bool operator==(const ProducerNameRow&) const = default;
};

std::string write_producer_name_key(const ProducerNameKey& key);
std::string write_producer_name_row(const ProducerNameRow& row);
// corrupt where it is malformed, unsupported_version where a newer version wrote it.
Result<ProducerNameKey> parse_producer_name_key(std::string_view bytes);
Result<ProducerNameRow> parse_producer_name_row(std::string_view bytes);

}  // namespace pg
