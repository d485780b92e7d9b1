// Any stream, in pieces of any size: the records are those that a simple split of the whole stream gives.
#include "tools/common/record_reader.h"

#include <cstring>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

struct Cut {
  std::vector<std::string> records;
  std::optional<Errc> error;
  bool operator==(const Cut&) const = default;
};

Cut split_lines(std::string_view stream, std::string_view delimiter) {
  Cut cut;
  while (!stream.empty()) {
    const auto at = delimiter.empty() ? std::string_view::npos : stream.find(delimiter);
    cut.records.emplace_back(stream.substr(0, at));
    stream.remove_prefix(at == std::string_view::npos ? stream.size() : at + delimiter.size());
  }
  return cut;
}

Cut split_frames(std::string_view stream, size_t most) {
  Cut cut;
  while (!stream.empty()) {
    cut.error = Errc::invalid_argument;
    if (stream.size() < kFrameLengthBytes) break;
    const size_t length = load_big_endian<uint32_t>(as_bytes(stream).data());
    if (length > most) cut.error = Errc::limit;
    if (length > most || stream.size() < kFrameLengthBytes + length) break;
    cut.error.reset();
    cut.records.emplace_back(stream.substr(kFrameLengthBytes, length));
    stream.remove_prefix(kFrameLengthBytes + length);
  }
  return cut;
}

Cut read_in_pieces(std::string_view stream, RecordReader& reader, FuzzInput& sizes) {
  const std::string_view whole = stream;
  Cut cut;
  std::string taken;  // by records, and by their delimiters or lengths
  for (bool finished = false; !finished && !cut.error;) {
    const auto space = reader.space();
    const size_t piece =
        std::min({stream.size(), space.size(), sizes.empty() ? stream.size() : size_t{sizes.byte()} + 1});
    if (piece > 0) std::memcpy(space.data(), stream.data(), piece);
    reader.filled(piece);
    stream.remove_prefix(piece);
    finished = stream.empty();
    if (finished) reader.finish();
    for (;;) {
      const auto record = reader.next();
      if (!record) cut.error = record.error().code;
      if (!record || !*record) break;
      cut.records.emplace_back(**record);
      PG_ASSERT(std::cmp_equal(reader.number(), cut.records.size()));
    }
    taken += reader.taken();
  }
  PG_ASSERT(cut.error ? whole.starts_with(taken) : whole == taken);
  return cut;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const Framing framing = input.byte() % 2 == 1 ? Framing::len32be : Framing::lines;
  const std::string delimiter(input.bytes(input.up_to(4)));
  FuzzInput sizes = [&] {
    const auto bytes = input.bytes(input.up_to(20));
    return FuzzInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }();
  const std::string_view stream = input.rest();
  const size_t most = framing == Framing::lines ? std::max<size_t>(1, stream.size()) : 1 << 10;
  RecordReader reader(delimiter, most, framing);
  const Cut cut = read_in_pieces(stream, reader, sizes);
  PG_ASSERT(cut == (framing == Framing::lines ? split_lines(stream, delimiter) : split_frames(stream, most)));
  return 0;
}
