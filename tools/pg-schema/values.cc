// pg-schema validate, encode and decode: values, one record after another.
#include <fmt/format.h>

#include "core/base/limits.h"
#include "tools/common/json_record.h"
#include "tools/common/record_printer.h"
#include "tools/common/record_reader.h"
#include "tools/common/value_codec.h"
#include "tools/pg-schema/commands.h"

namespace pg {
namespace {

// As they come in and go out.
struct ValueStream {
  std::string delimiter = "\n";
  bool nul_delimiter = false;
  Framing framing = Framing::len32be;  // of the values that name their schemas

  void add_delimiters(OptionTable& table) {
    table.option(
        "-d,--delimiter", "DELIM",
        [this](const std::string& value) -> Result<> {
          PG_ASSIGN(delimiter, parse_delimiter(value));
          return {};
        },
        "JSON records end with DELIM, not newline; 'none': one\nrecord");
    table.flag("-0,--null", nul_delimiter, "JSON records end with a NUL byte");
  }
  void add_framing(OptionTable& table) {
    table.option(
        "--framing", "HOW",
        [this](const std::string& value) -> Result<> {
          PG_ASSIGN(framing, parse_framing(value));
          return {};
        },
        "len32be (default): before each value its length; or lines:\nvalues end as records do");
  }
  std::string json_delimiter() const { return nul_delimiter ? std::string(1, '\0') : delimiter; }
};

using OnRecord = std::function<Result<>(std::string_view record, int64_t number)>;

// What is not framed as it is said to be begins with a length that is none.
tl::unexpected<Error> too_long(int64_t number, Framing framing) {
  const char* hint = framing == Framing::len32be ? ": is there a length before it? see --framing" : "";
  return fail(Errc::limit, fmt::format("record {} is larger than {} bytes{}", number, kBatchBytesMax, hint));
}

Result<> read_records(RecordReader reader, Framing framing, const OnRecord& on_record) {
  const InputStream input = InputStream::standard_input();
  for (bool ended = false; !ended;) {
    PG_ASSIGN(const size_t got, input.read(reader.space()));
    reader.filled(got);
    ended = got == 0;
    if (ended) reader.finish();
    for (;;) {
      const auto record = reader.next();
      if (!record && record.error().code == Errc::limit) return too_long(reader.number(), framing);
      PG_CHECK(record);
      if (!*record) break;
      PG_CHECK(on_record(**record, reader.number()));
    }
  }
  return {};
}

// Standard input, record by record. What was said before a record that ends it is written all the same.
Result<> read_records(const ValueStream& stream, Framing framing, OutputBuffer& out, const OnRecord& on_record) {
  const auto read = read_records(RecordReader(stream.json_delimiter(), static_cast<size_t>(kBatchBytesMax), framing),
                                 framing, on_record);
  PG_CHECK(out.flush());
  return read;
}

Result<std::unique_ptr<ValueCodec>> open_codec(const Tool& tool, Cluster& cluster,
                                               const std::optional<SubjectChoice>& schema) {
  return make_value_codec(cluster, {.schema = schema, .deadline = tool.deadline()}, {});
}

std::string frame(std::string_view value) {
  std::string length(kFrameLengthBytes, '\0');
  store_big_endian(reinterpret_cast<std::byte*>(length.data()), static_cast<uint32_t>(value.size()));
  return length;
}

tl::unexpected<Error> at_record(Error error, int64_t number) {
  error.what = fmt::format("record {}: {}", number, error.what);
  return tl::unexpected(std::move(error));
}

}  // namespace

int schema_validate(const Arguments& arguments) {
  Tool tool("pg-schema validate");
  ValueStream stream;
  OptionTable table(
      "pg-schema validate", "SUBJECT[:VERSION]",
      "Prints which records on standard input do not match the schema, and why, and ends with 8 if there\nare any.");
  table.operands(1, 1);
  stream.add_delimiters(table);
  tool.add_common_options(table, "print a line of JSON per record that does not match");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto choice, parse_subject_choice(operands[0]));
    PG_ASSIGN(const auto cluster, tool.open_cluster());
    PG_ASSIGN(const auto codec, open_codec(tool, *cluster, choice));
    int64_t records = 0, wrong = 0;
    OutputBuffer out(OutputStream::standard_output());
    const OnRecord check = [&](std::string_view record, int64_t number) -> Result<> {
      ++records;
      const auto encoded = codec->encode(record);
      if (encoded) return {};
      if (encoded.error().code != Errc::conflict) return at_record(encoded.error(), number);
      ++wrong;
      const std::string why = encoded.error().message();
      return out.append(tool.common().json ? fmt::format("{{\"line\":{},\"error\":{}}}\n", number, json_string(why))
                                           : fmt::format("line {}: {}\n", number, why));
    };
    PG_CHECK(read_records(stream, Framing::lines, out, check));
    if (wrong == 0) return kExitDone;
    return fail(Errc::conflict, fmt::format("{} of {} records do not match the schema", wrong, records));
  });
}

int schema_encode(const Arguments& arguments) {
  Tool tool("pg-schema encode");
  ValueStream stream;
  OptionTable table(
      "pg-schema encode", "SUBJECT[:VERSION]",
      "Writes each JSON record on standard input as the value that 'pg-produce --schema' would make of it.");
  table.operands(1, 1);
  stream.add_delimiters(table);
  stream.add_framing(table);
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto choice, parse_subject_choice(operands[0]));
    PG_ASSIGN(const auto cluster, tool.open_cluster());
    PG_ASSIGN(const auto codec, open_codec(tool, *cluster, choice));
    OutputBuffer out(OutputStream::standard_output());
    const std::string delimiter = stream.json_delimiter();
    const OnRecord encode = [&](std::string_view record, int64_t number) -> Result<> {
      const auto value = codec->encode(record);
      if (!value) return at_record(value.error(), number);
      if (stream.framing == Framing::len32be) return out.append(frame(*value), *value);
      if (!delimiter.empty() && value->find(delimiter) != std::string_view::npos) {
        return at_record(
            Error{Errc::invalid_argument, "its value has the delimiter in it: use --framing len32be", {}, {}}, number);
      }
      return out.append(*value, delimiter);
    };
    PG_CHECK(read_records(stream, Framing::lines, out, encode));
    return kExitDone;
  });
}

int schema_decode(const Arguments& arguments) {
  Tool tool("pg-schema decode");
  ValueStream stream;
  OptionTable table("pg-schema decode", "",
                    "Prints each value on standard input as JSON, by the schema that it names.");
  table.operands(0, 0);
  stream.add_delimiters(table);
  stream.add_framing(table);
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto cluster, tool.open_cluster());
    PG_ASSIGN(const auto codec, open_codec(tool, *cluster, {}));
    OutputBuffer out(OutputStream::standard_output());
    const std::string delimiter = stream.json_delimiter();
    const OnRecord decode = [&](std::string_view record, int64_t number) -> Result<> {
      const auto json = codec->decode(record);
      if (!json) return at_record(json.error(), number);
      return out.append(*json, delimiter);
    };
    PG_CHECK(read_records(stream, stream.framing, out, decode));
    return kExitDone;
  });
}

}  // namespace pg
