#include "core/schema/protobuf/protobuf_schema.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "core/base/text.h"
#include "core/schema/protobuf/protobuf_codec.h"
#include "core/schema/protobuf/protobuf_diff.h"
#include "core/schema/protobuf/protobuf_file.h"

namespace pg {
namespace {

class ProtobufSchema final : public Schema {
 public:
  explicit ProtobufSchema(ProtobufFile file) : file_(std::move(file)), codec_(*file_.descriptor) {}

  SchemaType type() const override { return SchemaType::protobuf; }
  const std::string& canonical() const override { return file_.canonical; }
  std::string serialized() const override {
    google::protobuf::FileDescriptorProto file;
    file_.descriptor->CopyTo(&file);
    return base64(file.SerializeAsString());
  }

  Result<std::vector<Incompatibility>> cannot_read(const Schema& writer, CompatibilityPolicy) const override {
    PG_ASSERT(writer.type() == SchemaType::protobuf);
    return protobuf_incompatibilities(*static_cast<const ProtobufSchema&>(writer).file_.descriptor, *file_.descriptor);
  }

  Result<std::string> encode(std::string_view json) const override { return codec_.encode(json); }
  Result<std::string> decode(std::string_view payload) const override { return codec_.decode(payload); }

 private:
  const ProtobufFile file_;
  const ProtobufCodec codec_;
};

}  // namespace

Result<std::unique_ptr<Schema>> parse_protobuf_schema(std::string_view text) {
  PG_ASSIGN(ProtobufFile file, parse_protobuf_file(text));
  return std::make_unique<ProtobufSchema>(std::move(file));
}

}  // namespace pg
