#include "core/schema/protobuf/protobuf_codec.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include "core/base/text.h"
#include "core/schema/bounded_json.h"
#include "core/schema/protobuf/any_depth.h"
#include "core/schema/protobuf/message_indexes.h"

namespace pg {
namespace {

namespace proto = google::protobuf;

constexpr std::string_view kTypePrefix = "type.googleapis.com";

// Deeper messages the library does not print.
constexpr int kWireDepthMax = 60;
constexpr int kAnyDepthMax = 30;

std::string type_url(const proto::Descriptor& type) {
  return fmt::format("{}/{}", kTypePrefix, type.full_name());
}

// "(items[0].value) zz: Cannot find field." without the dot, and without the ": " before a reason that names no field.
std::string reason_of(const proto::util::Status& status) {
  std::string reason(status.message());
  if (reason.starts_with(": ")) reason.erase(0, 2);
  if (reason.ends_with('.')) reason.pop_back();
  return reason;
}

// Without it no message has an Any. The well-known files import each other three deep.
bool imports_any(const proto::FileDescriptor& file) {
  if (file.name() == "google/protobuf/any.proto") return true;
  for (int i = 0; i < file.dependency_count(); ++i) {
    if (imports_any(*file.dependency(i))) return true;
  }
  return false;
}

}  // namespace

ProtobufCodec::ProtobufCodec(const proto::FileDescriptor& file)
    : file_(file),
      has_any_(imports_any(file)),
      messages_(std::make_unique<proto::DynamicMessageFactory>(file.pool())),
      types_(proto::util::NewTypeResolverForDescriptorPool(std::string(kTypePrefix), file.pool())) {}

ProtobufCodec::~ProtobufCodec() = default;

// Why `bytes` are no complete message of this type, or no one that decode prints; empty: they are one.
std::string ProtobufCodec::flaw(const proto::Descriptor& type, std::string_view bytes) const {
  const std::unique_ptr<proto::Message> message(messages_->GetPrototype(&type)->New());
  proto::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  input.SetRecursionLimit(kWireDepthMax);
  if (!message->ParsePartialFromCodedStream(&input) || !input.ConsumedEntireMessage())
    return "bytes that are no such message";
  if (!message->IsInitialized()) return "missing required fields: " + message->InitializationErrorString();
  if (has_any_ && has_any_deeper_than(kAnyDepthMax, *message, *messages_)) {
    return fmt::format("an Any nested more than {} levels deep", kAnyDepthMax);
  }
  return {};
}

Result<std::string> ProtobufCodec::encode(std::string_view json) const {
  // The library takes more for JSON than JSON is.
  PG_CHECK(parse_bounded_json(json));
  const proto::Descriptor& type = *file_.message_type(0);
  std::string bytes;
  const auto status = proto::util::JsonToBinaryString(types_.get(), type_url(type), {json.data(), json.size()}, &bytes);
  const std::string why = status.ok() ? flaw(type, bytes) : reason_of(status);
  if (!why.empty()) return fail(Errc::invalid_argument, fmt::format("not a '{}': {}", type.full_name(), why));
  return std::string(kFirstMessageIndexes) + bytes;
}

Result<std::string> ProtobufCodec::decode(std::string_view payload) const {
  if (payload.size() > INT32_MAX) return fail(Errc::corrupt, "a payload of more than 2 GiB is no Protobuf message");
  PG_ASSIGN(const IndexedMessage message, read_message_indexes(file_, payload));
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::corrupt, fmt::format("not a '{}': {}", message.type->full_name(), why));
  };
  if (const std::string why = flaw(*message.type, message.bytes); !why.empty()) return refuse(why);
  proto::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = proto::util::BinaryToJsonString(types_.get(), type_url(*message.type), std::string(message.bytes),
                                                      &json, options);
  if (!status.ok()) return refuse(reason_of(status));
  return json;
}

}  // namespace pg
