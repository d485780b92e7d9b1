#include "core/schema/protobuf/message_indexes.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "core/base/bytes.h"

namespace pg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;

constexpr uint8_t kLeastTag = 1 << 3;  // field number 1

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(as_bytes(bytes)) {}

  std::optional<int64_t> varint() {
    int64_t value = 0;
    const std::byte* end = bytes_.data() + bytes_.size();
    const std::byte* after = read_varint(bytes_.data(), end, value);
    if (after == nullptr) return std::nullopt;
    bytes_ = bytes_.last(static_cast<size_t>(end - after));
    return value;
  }
  std::string_view rest() const { return as_text(bytes_); }

 private:
  ByteView bytes_;
};

const Descriptor* message_at(const FileDescriptor& file, const Descriptor* parent, int64_t index) {
  const int count = parent == nullptr ? file.message_type_count() : parent->nested_type_count();
  if (index < 0 || index >= count) return nullptr;
  const int at = static_cast<int>(index);
  return parent == nullptr ? file.message_type(at) : parent->nested_type(at);
}

Result<IndexedMessage> follow(const FileDescriptor& file, std::string_view payload) {
  Cursor cursor(payload);
  const auto count = cursor.varint();
  if (!count || *count < 0) return fail(Errc::corrupt, "a payload that does not begin with the indexes of a message");
  if (*count == 0) return IndexedMessage{file.message_type(0), cursor.rest()};
  const Descriptor* type = nullptr;
  for (int64_t i = 0; i < *count; ++i) {  // ends at the deepest level of the schema
    const auto index = cursor.varint();
    if (!index) return fail(Errc::corrupt, "a payload that ends within the indexes of its message");
    type = message_at(file, type, *index);
    if (type == nullptr)
      return fail(Errc::corrupt, fmt::format("a payload of a message that the schema has not got: index {}", *index));
  }
  return IndexedMessage{type, cursor.rest()};
}

}  // namespace

Result<IndexedMessage> read_message_indexes(const FileDescriptor& file, std::string_view payload) {
  const bool may_be_message = payload.empty() || static_cast<uint8_t>(payload.front()) >= kLeastTag;
  auto followed = follow(file, payload);
  if (followed || !may_be_message) return followed;
  return IndexedMessage{file.message_type(0), payload};
}

}  // namespace pg
