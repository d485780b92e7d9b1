// Which message of its schema a payload is: Confluent's list in front of it, the index of a message of the file, of one
// inside that, and so on. Kafka's zig-zag varints, the number of them first; a lone zero byte stands for the first
// message.
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace google::protobuf {
class Descriptor;
class FileDescriptor;
}  // namespace google::protobuf

namespace pg {

inline constexpr std::string_view kFirstMessageIndexes("\0", 1);

// A message type of a schema, and the bytes of a value of that type.
struct IndexedMessage {
  const google::protobuf::Descriptor* type;
  std::string_view bytes;
};

// kafkajs and others write no list, so that their values are read as the first message. The two can be told apart: the
// first byte of a message is a tag, at least 8, and so is that of a list only if it has four indexes, each of which
// must exist. Errc::corrupt: a list that leads nowhere.
Result<IndexedMessage> read_message_indexes(const google::protobuf::FileDescriptor& file, std::string_view payload);

}  // namespace pg
