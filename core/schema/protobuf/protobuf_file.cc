#include "core/schema/protobuf/protobuf_file.h"

#include <fmt/format.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/schema/protobuf/group_fields.h"
#include "core/schema/protobuf/normal_form.h"
#include "core/schema/protobuf/protobuf_text.h"
#include "core/schema/protobuf/well_known_types.h"

namespace pg {
namespace {

namespace proto = google::protobuf;

// The library compares each of a message's reserved and extension ranges with each other one, and with each field.
constexpr size_t kRangesMax = 1000;

// By default the library writes warnings and errors to standard error.
void silence_library() {
  static const bool silenced = (proto::SetLogHandler(nullptr), true);
  static_cast<void>(silenced);
}

// The first of the errors, with its place. Lines and columns count from 0, and are negative where there is none.
class FirstError : public proto::io::ErrorCollector, public proto::DescriptorPool::ErrorCollector {
 public:
  explicit FirstError(const proto::compiler::SourceLocationTable& places) : places_(places) {}

  void AddError(int line, proto::io::ColumnNumber column, const std::string& message) override {
    if (!what_.empty()) return;
    what_ = line < 0 ? message : fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
    if (what_.ends_with('.')) what_.pop_back();
  }
  void AddError(const std::string&, const std::string& element, const proto::Message* descriptor,
                ErrorLocation location, const std::string& message) override {
    int line = -1, column = -1;
    if (location == IMPORT) {
      places_.FindImport(descriptor, element, &line, &column);
    } else {
      places_.Find(descriptor, location, &line, &column);
    }
    // Messages of the parser say what is meant, those of the pool only sometimes.
    const bool named = element.empty() || message.find(element) != std::string::npos;
    AddError(line, column, named ? message : fmt::format("{}: {}", element, message));
  }

  bool any() const { return !what_.empty(); }
  tl::unexpected<Error> error() const {
    return fail(Errc::invalid_argument, "cannot read the Protobuf schema: " + what_);
  }

 private:
  const proto::compiler::SourceLocationTable& places_;
  std::string what_;
};

class NoErrors : public proto::io::ErrorCollector {
  void AddError(int, proto::io::ColumnNumber, const std::string&) override {}
};

// How far brackets are nested. The library parses messages, and the values of options, recursively and without a limit.
int nesting_of(std::string_view text) {
  NoErrors nobody;
  proto::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  proto::io::Tokenizer tokens(&stream, &nobody);
  int depth = 0, deepest = 0;
  while (tokens.Next()) {
    const auto& token = tokens.current();
    if (token.type != proto::io::Tokenizer::TYPE_SYMBOL) continue;
    if (std::string_view("{[(<").find(token.text) != std::string_view::npos) deepest = std::max(deepest, ++depth);
    if (std::string_view("}])>").find(token.text) != std::string_view::npos) --depth;
  }
  return deepest;
}

size_t ranges_of(const proto::DescriptorProto& message) {
  size_t most =
      static_cast<size_t>(message.reserved_range_size()) + static_cast<size_t>(message.extension_range_size());
  for (const auto& nested : message.nested_type()) most = std::max(most, ranges_of(nested));
  for (const auto& type : message.enum_type()) most = std::max(most, static_cast<size_t>(type.reserved_range_size()));
  return most;
}

size_t dots_in(const std::string& name) { return static_cast<size_t>(std::ranges::count(name, '.')); }

size_t dots_in(const google::protobuf::RepeatedPtrField<proto::FieldDescriptorProto>& fields) {
  size_t most = 0;
  for (const auto& field : fields) most = std::max({most, dots_in(field.type_name()), dots_in(field.extendee())});
  return most;
}

size_t dots_in(const proto::DescriptorProto& message) {
  size_t most = std::max(dots_in(message.field()), dots_in(message.extension()));
  for (const auto& nested : message.nested_type()) most = std::max(most, dots_in(nested));
  return most;
}

// The library goes through all that a package or an unknown type may be in, by its whole name: what that takes grows
// with the square of their number.
Result<> check_parts_of_names(const proto::FileDescriptorProto& file) {
  size_t most = std::max(dots_in(file.package()), dots_in(file.extension()));
  for (const auto& message : file.message_type()) most = std::max(most, dots_in(message));
  for (const auto& service : file.service()) {
    for (const auto& method : service.method())
      most = std::max({most, dots_in(method.input_type()), dots_in(method.output_type())});
  }
  if (most <= kSchemaDepthMax) return {};
  return fail(Errc::invalid_argument,
              fmt::format("a Protobuf schema with a name of more than {} parts", kSchemaDepthMax));
}

Result<> check_bounds(const proto::FileDescriptorProto& file) {
  PG_CHECK(check_parts_of_names(file));
  size_t ranges = 0;
  for (const auto& message : file.message_type()) ranges = std::max(ranges, ranges_of(message));
  for (const auto& type : file.enum_type()) ranges = std::max(ranges, static_cast<size_t>(type.reserved_range_size()));
  if (ranges <= kRangesMax) return {};
  return fail(
      Errc::invalid_argument,
      fmt::format("a Protobuf message or enum with {} ranges of numbers: at most {} are allowed", ranges, kRangesMax));
}

Result<> check_names(const proto::FileDescriptorProto& file) {
  // Its types have a JSON of their own, which is chosen by their names.
  if ((file.package() + ".").starts_with("google.protobuf.")) {
    return fail(
        Errc::invalid_argument,
        fmt::format("a Protobuf schema in the package '{}', which is that of the well-known types", file.package()));
  }
  for (const auto& name : file.dependency()) {
    if (is_well_known_file(name)) continue;
    return fail(
        Errc::invalid_argument,
        fmt::format("cannot import \"{}\" into a Protobuf schema: references to other schemas are not supported",
                    name));
  }
  return {};
}

// `errors` has a place for what is wrong where the parser saw it.
Result<ProtobufFile> build(proto::FileDescriptorProto proto_file, FirstError& errors) {
  PG_CHECK(check_bounds(proto_file));
  PG_CHECK(check_names(proto_file));
  if (proto_file.message_type_size() == 0) return fail(Errc::invalid_argument, "a Protobuf schema without a message");
  proto_file.set_name("schema.proto");  // nothing may be called like a well-known file
  ProtobufFile file{{}, std::make_unique<proto::DescriptorPool>(proto::DescriptorPool::generated_pool()), nullptr};
  file.descriptor = file.pool->BuildFileCollectingErrors(proto_file, &errors);
  if (file.descriptor == nullptr) return errors.error();
  // Converting groups inside an Any would need a look into its bytes.
  if (has_groups(*file.descriptor) && imports_any(*file.descriptor)) {
    return fail(Errc::invalid_argument,
                "a Protobuf schema with groups and google.protobuf.Any: use messages instead of groups");
  }
  return file;
}

Result<ProtobufFile> parse_text(std::string_view text) {
  if (nesting_of(text) > kSchemaDepthMax) {
    return fail(Errc::invalid_argument,
                fmt::format("a Protobuf schema nested more than {} levels deep", kSchemaDepthMax));
  }
  proto::compiler::SourceLocationTable places;
  FirstError errors(places);
  proto::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  proto::io::Tokenizer tokens(&stream, &errors);
  proto::compiler::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.RecordSourceLocationsTo(&places);
  proto::FileDescriptorProto file;
  if (!parser.Parse(&tokens, &file) || errors.any()) return errors.error();  // the tokenizer's do not make it fail
  return build(std::move(file), errors);
}

// Empty: this is not a serialized file.
std::optional<proto::FileDescriptorProto> parse_base64(std::string_view text) {
  const auto bytes = base64_decode(text);
  if (!bytes) return std::nullopt;
  proto::FileDescriptorProto file;
  if (!file.ParseFromString(*bytes)) return std::nullopt;
  return file;
}

std::string serialized(const proto::FileDescriptor& file) {
  proto::FileDescriptorProto copy;
  file.CopyTo(&copy);
  for (auto& service : *copy.mutable_service()) {
    for (auto& method : *service.mutable_method()) {
      if (method.options().ByteSizeLong() == 0) method.clear_options();  // "{}" instead of ";"
    }
  }
  return copy.SerializeAsString();
}

// The library's printer is believed only after it was read again. `original`, which is not a text of Protobuf if it is
// empty, is stored where that fails.
Result<ProtobufFile> with_canonical(ProtobufFile file, std::string_view original) {
  file.canonical = protobuf_text(*file.descriptor);
  const auto again = parse_text(file.canonical);
  if (again && serialized(*again->descriptor) == serialized(*file.descriptor)) return file;
  if (original.empty())
    return fail(Errc::invalid_argument, "a serialized Protobuf schema that cannot be written as text");
  file.canonical = original;
  return file;
}

}  // namespace

Result<ProtobufFile> parse_protobuf_file(std::string_view text) {
  silence_library();
  if (auto serialized = parse_base64(text)) {
    const proto::compiler::SourceLocationTable nowhere;
    FirstError errors(nowhere);
    PG_ASSIGN(ProtobufFile file, build(std::move(*serialized), errors));
    return with_canonical(std::move(file), {});
  }
  PG_ASSIGN(ProtobufFile file, parse_text(text));
  return with_canonical(std::move(file), text);
}

}  // namespace pg
