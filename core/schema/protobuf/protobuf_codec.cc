#include "core/schema/protobuf/protobuf_codec.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include "core/base/text.h"
#include "core/schema/bounded_json.h"
#include "core/schema/protobuf/group_fields.h"
#include "core/schema/protobuf/message_indexes.h"
#include "core/schema/protobuf/normal_form.h"

namespace pg {
namespace {

namespace proto = google::protobuf;

constexpr std::string_view kTypePrefix = "type.googleapis.com";

// Deeper messages the library does not print.
constexpr int kWireDepthMax = 60;
constexpr int kAnyDepthMax = 30;

std::string type_url(const proto::Descriptor& type) { return fmt::format("{}/{}", kTypePrefix, type.full_name()); }

// "(items[0].value) zz: Cannot find field." without the dot, and without the ": " before a reason that names no field.
std::string reason_of(const proto::util::Status& status) {
  std::string reason(status.message());
  if (reason.starts_with(": ")) reason.erase(0, 2);
  if (reason.ends_with('.')) reason.pop_back();
  return reason;
}

std::unique_ptr<proto::DescriptorPool> pool_without_groups(const proto::FileDescriptor& file) {
  if (!has_groups(file)) return nullptr;
  auto pool = std::make_unique<proto::DescriptorPool>(proto::DescriptorPool::generated_pool());
  PG_ASSERT(pool->BuildFile(without_groups(file)) != nullptr);
  return pool;
}

tl::unexpected<Error> not_a(const proto::Descriptor& type, Errc code, std::string_view why) {
  return fail(code, fmt::format("not a '{}': {}", type.full_name(), why));
}

}  // namespace

ProtobufCodec::ProtobufCodec(const proto::FileDescriptor& file)
    : file_(file),
      needs_normalizing_(needs_normalizing(file)),
      without_groups_(pool_without_groups(file)),
      messages_(std::make_unique<proto::DynamicMessageFactory>(file.pool())),
      types_(proto::util::NewTypeResolverForDescriptorPool(
          std::string(kTypePrefix), without_groups_ != nullptr ? without_groups_.get() : file.pool())) {}

ProtobufCodec::~ProtobufCodec() = default;

// `otherwise`: the error code if `bytes` are not a complete message of this type, or one that decode() does not print.
Result<std::unique_ptr<proto::Message>> ProtobufCodec::read(const proto::Descriptor& type, std::string_view bytes,
                                                            Errc otherwise) const {
  std::unique_ptr<proto::Message> message(messages_->GetPrototype(&type)->New());
  proto::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  input.SetRecursionLimit(kWireDepthMax);
  if (!message->ParsePartialFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
    return not_a(type, otherwise, "bytes that are not such a message");
  }
  if (!message->IsInitialized())
    return not_a(type, otherwise, "missing required fields: " + message->InitializationErrorString());
  if (needs_normalizing_ && !normalize(kAnyDepthMax, *message, *file_.pool(), *messages_)) {
    return not_a(type, otherwise, fmt::format("an Any nested more than {} levels deep", kAnyDepthMax));
  }
  return message;
}

Result<std::string> ProtobufCodec::encode(std::string_view json) const {
  // The library takes more for JSON than JSON is.
  PG_CHECK(parse_bounded_json(json));
  const proto::Descriptor& type = *file_.message_type(0);
  std::string bytes;
  const auto status = proto::util::JsonToBinaryString(types_.get(), type_url(type), {json.data(), json.size()}, &bytes);
  if (!status.ok()) return not_a(type, Errc::invalid_argument, reason_of(status));
  if (without_groups_ != nullptr) {
    auto with_groups = messages_to_groups(type, bytes);
    if (!with_groups) return not_a(type, Errc::invalid_argument, "bytes that are not such a message");
    bytes = std::move(*with_groups);
  }
  PG_CHECK(read(type, bytes, Errc::invalid_argument));
  return std::string(kFirstMessageIndexes) + bytes;
}

Result<std::string> ProtobufCodec::decode(std::string_view payload) const {
  if (payload.size() > INT32_MAX) return fail(Errc::corrupt, "a payload of more than 2 GiB is not a Protobuf message");
  PG_ASSIGN(const IndexedMessage indexed, read_message_indexes(file_, payload));
  const proto::Descriptor& type = *indexed.type;
  PG_ASSIGN(const auto message, read(type, indexed.bytes, Errc::corrupt));
  // The library prints fields as they come, so that one that comes twice would be printed twice.
  std::string bytes = message->SerializePartialAsString();
  if (without_groups_ != nullptr) {
    auto without = groups_to_messages(type, bytes);
    if (!without) return not_a(type, Errc::corrupt, "bytes that are not such a message");
    bytes = std::move(*without);
  }
  proto::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = proto::util::BinaryToJsonString(types_.get(), type_url(type), bytes, &json, options);
  if (!status.ok()) return not_a(type, Errc::corrupt, reason_of(status));
  return json;
}

}  // namespace pg
