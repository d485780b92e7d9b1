// JSON to Avro's binary encoding.
#pragma once

#include "core/schema/avro/avro_type.h"

namespace pg {

class AvroEncoder {
 public:
  // Appends to `to`, which must live as long.
  explicit AvroEncoder(std::string& to) : to_(to) {}

  // `json` in Avro's JSON encoding, {"string": "x"} for a union's value; also taken is a value that only one branch can
  // be, and a field with a default may be missing. Errc::invalid_argument: where and why it does not match; `to` is
  // then of no use.
  Result<> append(const AvroType& type, const Json& json);

  // `json` as the default of a field: a union's value is written as it is, for the first branch that can be it.
  Result<> append_default(const AvroType& type, const Json& json);

 private:
  // The branch of a union that a value takes, and the value in it.
  struct Chosen {
    size_t branch;
    const Json* value;
  };

  Result<> value(const AvroType& type, const Json& json);
  Result<> primitive(AvroKind kind, const Json& json);
  Result<> bytes(const Json& json, std::optional<size_t> size);
  Result<> enumeration(const AvroType& type, const Json& json);
  Result<> array(const AvroType& type, const Json& json);
  Result<> map(const AvroType& type, const Json& json);
  Result<> record(const AvroType& type, const Json& json);
  Result<> missing_field(const AvroField& field);
  Result<> one_of(const AvroType& type, const Json& json);
  Result<Chosen> choose(const AvroType& type, const Json& json) const;

  // Whether it matched.
  bool put_primitive(AvroKind kind, const Json& json);
  bool put_integer(AvroKind kind, const Json& json);
  void put_long(int64_t number);
  void put_text(std::string_view text);
  Result<> enter();
  Result<> spend(size_t amount);

  std::string& to_;
  int depth_ = 0;
  int defaults_ = 0;  // how many defaults what is being written is in
  size_t spent_on_defaults_ = 0;
};

}  // namespace pg
