// Avro's binary encoding to JSON.
#pragma once

#include "core/schema/avro/avro_type.h"

namespace pg {

class AvroDecoder {
 public:
  explicit AvroDecoder(std::string_view bytes);

  // All of the bytes as one value, in Avro's JSON encoding, in one line. Errc::corrupt: where they are not what the
  // schema says; Errc::limit: the JSON would be too large or too deep.
  Result<std::string> decode(const AvroType& type);

 private:
  Result<> value(const AvroType& type);
  Result<> primitive(AvroKind kind);
  Result<> boolean();
  Result<> integer(AvroKind kind);
  Result<> bytes();
  Result<> text();
  Result<> record(const AvroType& type);
  Result<> one_of(const AvroType& type);
  // Runs of items, each with its count in front: `item` reads one.
  template <class Item>
  Result<> blocks(Item item);
  Result<> array(const AvroType& type);
  Result<> map(const AvroType& type);

  Result<int64_t> take_long();
  Result<size_t> take_position(size_t end, std::string_view what);
  Result<std::string_view> take(size_t length);
  Result<std::string_view> take_sized();
  template <class Float, class Bits>
  Result<> floating();

  void put_string(std::string_view text);
  void put_bytes(std::string_view bytes);
  Result<> enter();

  std::string_view rest_;
  std::string json_;
  size_t json_max_;
  int depth_ = 0;
};

}  // namespace pg
