#include "core/schema/avro/avro_defaults.h"

#include <unordered_set>

#include "core/schema/avro/avro_encoder.h"
#include "core/schema/avro/avro_error.h"

namespace pg {
namespace {

// Goes through the types in the order of the text, so that it recurses no deeper than that.
class AvroDefaults {
 public:
  Result<> check(const AvroType& type) {
    if (!seen_.insert(&type).second) return {};
    for (size_t i = 0; i < type.fields.size(); ++i) PG_CHECK(field(type.fields[i]).map_error(under("fields", i)));
    for (size_t i = 0; i < type.branches.size(); ++i) {
      PG_CHECK(check(*type.branches[i]).map_error(under(std::to_string(i))));
    }
    if (type.items == nullptr) return {};
    return check(*type.items).map_error(under(type.kind == AvroKind::array ? "items" : "values"));
  }

 private:
  Result<> field(const AvroField& field) {
    PG_CHECK(check(*field.type).map_error(under("type")));
    if (!field.default_value) return {};
    return encoder_.append_default(*field.type, *field.default_value).map_error(under("default"));
  }

  std::unordered_set<const AvroType*> seen_;
  // One for all of them: together they may be as large as one value's.
  std::string bytes_;
  AvroEncoder encoder_{bytes_};
};

}  // namespace

Result<> check_avro_defaults(const AvroType& root) { return AvroDefaults().check(root); }

}  // namespace pg
