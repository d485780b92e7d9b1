#include "core/schema/protobuf/protobuf_diff.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "core/schema/protobuf/field_kinds.h"

namespace pg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::OneofDescriptor;

std::string field_text(const FieldDescriptor& field) {
  return fmt::format("field '{}' ({})", field.name(), field.number());
}

// Whether the reader still has that oneof: by its name, or by a member that is in a oneof of another name, since data
// has no names.
bool has_oneof(const Descriptor& reader, const OneofDescriptor& oneof) {
  const OneofDescriptor* named = reader.FindOneofByName(oneof.name());
  if (named != nullptr && !named->is_synthetic()) return true;
  for (int i = 0; i < oneof.field_count(); ++i) {
    const FieldDescriptor* member = reader.FindFieldByNumber(oneof.field(i)->number());
    if (member != nullptr && member->real_containing_oneof() != nullptr) return true;
  }
  return false;
}

// One walk over both. The depth is that of the files, which is bounded, and that of the well-known types.
class Comparison {
 public:
  Comparison(const FileDescriptor& writer, const FileDescriptor& reader) : writer_(&writer), reader_(&reader) {}
  std::vector<Incompatibility> found();

 private:
  void message_in(const Descriptor& writer, const Descriptor* reader, const std::string& parent);
  void messages(const Descriptor& writer, const Descriptor& reader, const std::string& path);
  void oneofs(const Descriptor& writer, const Descriptor& reader, const std::string& path);
  void moves_into(const OneofDescriptor& oneof, const Descriptor& writer, const std::string& path);
  void removals_from(const OneofDescriptor& oneof, const Descriptor& reader, const std::string& path);
  // One of the two may be null.
  void fields(const FieldDescriptor* writer, const FieldDescriptor* reader, const std::string& parent);
  void types(const FieldDescriptor& writer, const FieldDescriptor& reader, const std::string& path);
  void named_types(const FieldDescriptor& writer, const FieldDescriptor& reader, const std::string& path);

  void changed(std::string kind, const FieldDescriptor& writer, const FieldDescriptor& reader, const std::string& path);
  void add(std::string kind, std::string path, std::string message) {
    found_.push_back({std::move(kind), std::move(path), std::move(message)});
  }

  const FileDescriptor* writer_;
  const FileDescriptor* reader_;
  std::vector<Incompatibility> found_;
  std::set<std::pair<const Descriptor*, const Descriptor*>> compared_;
};

std::vector<Incompatibility> Comparison::found() {
  if (writer_->package() != reader_->package()) {
    add("PACKAGE_CHANGED", "#/",
        fmt::format("the package changed from '{}' to '{}'", writer_->package(), reader_->package()));
  }
  for (int i = 0; i < writer_->message_type_count(); ++i) {
    const Descriptor& message = *writer_->message_type(i);
    message_in(message, reader_->FindMessageTypeByName(message.name()), "#");
  }
  return std::move(found_);
}

void Comparison::message_in(const Descriptor& writer, const Descriptor* reader, const std::string& parent) {
  if (writer.options().map_entry()) return;  // the entry type of a map, whose field is compared
  const std::string path = parent + "/" + writer.name();
  if (reader != nullptr) return messages(writer, *reader, path);
  add("MESSAGE_REMOVED", path, fmt::format("message '{}' was removed", local_name(writer)));
}

// Two may be met again and again where a well-known type is compared with a copy of it.
void Comparison::messages(const Descriptor& writer, const Descriptor& reader, const std::string& path) {
  if (!compared_.emplace(&writer, &reader).second) return;
  oneofs(writer, reader, path);
  for (int i = 0; i < writer.field_count(); ++i) {
    const FieldDescriptor& field = *writer.field(i);
    fields(&field, reader.FindFieldByNumber(field.number()), path);
  }
  for (int i = 0; i < reader.field_count(); ++i) {
    const FieldDescriptor& field = *reader.field(i);
    if (writer.FindFieldByNumber(field.number()) == nullptr) fields(nullptr, &field, path);
  }
  for (int i = 0; i < writer.nested_type_count(); ++i) {
    message_in(*writer.nested_type(i), reader.FindNestedTypeByName(writer.nested_type(i)->name()), path);
  }
}

// Fields of a oneof exclude each other: only one of those that are written is read.
void Comparison::oneofs(const Descriptor& writer, const Descriptor& reader, const std::string& path) {
  for (int i = 0; i < reader.real_oneof_decl_count(); ++i) moves_into(*reader.oneof_decl(i), writer, path);
  for (int i = 0; i < writer.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& oneof = *writer.oneof_decl(i);
    if (has_oneof(reader, oneof)) removals_from(oneof, reader, path);
  }
}

void Comparison::moves_into(const OneofDescriptor& oneof, const Descriptor& writer, const std::string& path) {
  std::set<const OneofDescriptor*> from;
  int alone = 0;
  for (int i = 0; i < oneof.field_count(); ++i) {
    const FieldDescriptor* written = writer.FindFieldByNumber(oneof.field(i)->number());
    if (written == nullptr) continue;
    if (const OneofDescriptor* other = written->real_containing_oneof()) {
      from.insert(other);
    } else {
      ++alone;
    }
  }
  const std::string place = path + "/" + oneof.name();
  if (alone == 1 && !from.empty()) {
    add("FIELD_MOVED_TO_EXISTING_ONEOF", place,
        fmt::format("a field moved to the oneof '{}', which has others already", oneof.name()));
  } else if (alone > 1 || from.size() > 1) {
    add("MULTIPLE_FIELDS_MOVED_TO_ONEOF", place,
        fmt::format("fields that could be set together moved to the oneof '{}'", oneof.name()));
  }
}

void Comparison::removals_from(const OneofDescriptor& oneof, const Descriptor& reader, const std::string& path) {
  for (int i = 0; i < oneof.field_count(); ++i) {
    const FieldDescriptor& field = *oneof.field(i);
    if (reader.FindFieldByNumber(field.number()) != nullptr) continue;
    add("ONEOF_FIELD_REMOVED", fmt::format("{}/{}/{}", path, oneof.name(), field.number()),
        fmt::format("{} was removed from the oneof '{}'", field_text(field), oneof.name()));
  }
}

void Comparison::fields(const FieldDescriptor* writer, const FieldDescriptor* reader, const std::string& parent) {
  const FieldDescriptor& field = reader != nullptr ? *reader : *writer;
  const std::string path = fmt::format("{}/{}", parent, field.number());
  if (reader == nullptr) {
    if (field.is_required())
      add("REQUIRED_FIELD_REMOVED", path, fmt::format("the required {} was removed", field_text(field)));
  } else if (field.is_required() && (writer == nullptr || !writer->is_required())) {
    add("REQUIRED_FIELD_ADDED", path, fmt::format("{} is required, and was not", field_text(field)));
  }
  if (writer != nullptr && reader != nullptr) types(*writer, *reader, path);
}

void Comparison::types(const FieldDescriptor& writer, const FieldDescriptor& reader, const std::string& path) {
  if (field_kind(writer) != field_kind(reader)) return changed("FIELD_KIND_CHANGED", writer, reader, path);
  switch (field_kind(reader)) {
    case FieldKind::map:
      types(*writer.message_type()->map_key(), *reader.message_type()->map_key(), path);
      types(*writer.message_type()->map_value(), *reader.message_type()->map_value(), path);
      return;
    case FieldKind::message:
    case FieldKind::group:
      return named_types(writer, reader, path);
    case FieldKind::scalar:
      break;
  }
  if (scalar_kind(writer) != scalar_kind(reader)) return changed("FIELD_SCALAR_KIND_CHANGED", writer, reader, path);
  // Repeated numbers may be packed into one value, which a reader of a single number does not find.
  if (writer.is_repeated() != reader.is_repeated() && scalar_kind(reader) != ScalarKind::string_or_bytes) {
    changed("FIELD_NUMERIC_LABEL_CHANGED", writer, reader, path);
  }
}

// Messages of the two files are compared where they stand, and the well-known types are the same for both. What remains
// is a well-known type in one of them and a copy of it in the other.
void Comparison::named_types(const FieldDescriptor& writer, const FieldDescriptor& reader, const std::string& path) {
  const Descriptor &written = *writer.message_type(), &read = *reader.message_type();
  if (local_name(written) != local_name(read)) return changed("FIELD_NAMED_TYPE_CHANGED", writer, reader, path);
  if ((written.file() == writer_) == (read.file() == reader_)) return;
  const size_t before = found_.size();
  messages(written, read, "#/" + local_name(read));
  if (found_.size() != before) changed("FIELD_NAMED_TYPE_CHANGED", writer, reader, path);
}

void Comparison::changed(std::string kind, const FieldDescriptor& writer, const FieldDescriptor& reader,
                         const std::string& path) {
  add(std::move(kind), path,
      fmt::format("{} changed from {} to {}", field_text(reader), type_text(writer), type_text(reader)));
}

}  // namespace

std::vector<Incompatibility> protobuf_incompatibilities(const FileDescriptor& writer, const FileDescriptor& reader) {
  return Comparison(writer, reader).found();
}

}  // namespace pg
