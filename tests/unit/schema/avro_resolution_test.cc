// Which schema can read what was written with which.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/schema/schema.h"

namespace pg {
namespace {

std::unique_ptr<Schema> parsed(std::string_view text) {
  auto schema = parse_schema(SchemaType::avro, text);
  CAPTURE(text);
  REQUIRE_MESSAGE(schema, schema.error().what);
  return std::move(*schema);
}

// "KIND path", one after the other.
std::string differences(std::string_view reader, std::string_view writer) {
  std::string text;
  const auto found = parsed(reader)->cannot_read(*parsed(writer), CompatibilityPolicy::strict);
  for (const auto& one : *found) {
    CHECK_FALSE(one.message.empty());
    text += (text.empty() ? "" : ", ") + one.kind + " " + one.path;
  }
  return text;
}

struct Row {
  std::string a, b;
  std::string a_reads_b, b_reads_a;  // what stands against it
};

std::string rec(std::string_view fields, std::string_view name = "R", std::string_view more = "") {
  return fmt::format(R"({{"type":"record","name":"{}","fields":[{}]{}}})", name, fields, more);
}
std::string fld(std::string_view name, std::string_view type, std::string_view more = "") {
  return fmt::format(R"({{"name":"{}","type":{}{}}})", name, type, more);
}
std::string fix(int size, std::string_view name = "F", std::string_view more = "") {
  return fmt::format(R"({{"type":"fixed","name":"{}","size":{}{}}})", name, size, more);
}
std::string enm(std::string_view symbols, std::string_view name = "E", std::string_view more = "") {
  return fmt::format(R"({{"type":"enum","name":"{}","symbols":[{}]{}}})", name, symbols, more);
}
std::string arr(std::string_view items) { return fmt::format(R"({{"type":"array","items":{}}})", items); }
std::string map(std::string_view values) { return fmt::format(R"({{"type":"map","values":{}}})", values); }

const std::string kInt = R"("int")", kLong = R"("long")", kFloat = R"("float")", kDouble = R"("double")",
                  kNull = R"("null")", kString = R"("string")", kBytes = R"("bytes")", kBoolean = R"("boolean")";
constexpr auto kType = "TYPE_MISMATCH /";

void check(const Row& row) {
  CAPTURE(row.a);
  CAPTURE(row.b);
  CHECK(differences(row.a, row.b) == row.a_reads_b);
  CHECK(differences(row.b, row.a) == row.b_reads_a);
}

TEST_CASE("avro resolution: primitive types and promotions") {
  const Row rows[] = {
      {kInt, kInt, "", ""},
      {kLong, kInt, "", kType},
      {kFloat, kInt, "", kType},
      {kDouble, kInt, "", kType},
      {kFloat, kLong, "", kType},
      {kDouble, kLong, "", kType},
      {kDouble, kFloat, "", kType},
      {kString, kBytes, "", ""},
      {kNull, kInt, kType, kType},
      {kBoolean, kInt, kType, kType},
      {kString, kInt, kType, kType},
      {kBytes, fix(2), kType, kType},
      {kString, enm("\"A\""), kType, kType},
      {arr(kInt), map(kInt), kType, kType},
      {rec(""), map(kInt), kType, kType},
      // Logical types are those that they annotate.
      {R"({"type":"int","logicalType":"date"})", kInt, "", ""},
      {R"({"type":"bytes","logicalType":"decimal","precision":4})",
       R"({"type":"bytes","logicalType":"decimal","precision":9})", "", ""},
  };
  for (const Row& row : rows) check(row);
}

TEST_CASE("avro resolution: arrays and maps") {
  const Row rows[] = {
      {arr(kLong), arr(kInt), "", "TYPE_MISMATCH /items"},
      {map(kLong), map(kInt), "", "TYPE_MISMATCH /values"},
      {arr(map(kLong)), arr(map(kInt)), "", "TYPE_MISMATCH /items/values"},
  };
  for (const Row& row : rows) check(row);
}

TEST_CASE("avro resolution: named types") {
  const Row rows[] = {
      {fix(2), fix(2), "", ""},
      {fix(2), fix(3), "FIXED_SIZE_MISMATCH /size", "FIXED_SIZE_MISMATCH /size"},
      {fix(2), fix(2, "G"), "NAME_MISMATCH /name", "NAME_MISMATCH /name"},
      {fix(2), fix(3, "G"), "NAME_MISMATCH /name, FIXED_SIZE_MISMATCH /size",
       "NAME_MISMATCH /name, FIXED_SIZE_MISMATCH /size"},
      {fix(2, "F", R"(,"aliases":["G"])"), fix(2, "G"), "", "NAME_MISMATCH /name"},
      {fix(2, "n.F", R"(,"aliases":["G"])"), fix(2, "m.G"), "NAME_MISMATCH /name", "NAME_MISMATCH /name"},
      {fix(2, "n.F", R"(,"aliases":["m.G"])"), fix(2, "m.G"), "", "NAME_MISMATCH /name"},
      {fix(2, "n.F"), fix(2, "m.F"), "", ""},  // the namespace does not matter
      {enm(R"("A","B")"), enm(R"("B","A")"), "", ""},
      {enm(R"("A","B")"), enm(R"("A")"), "", "MISSING_ENUM_SYMBOLS /symbols"},
      {enm(R"("A","B")"), enm(R"("A")", "E", R"(,"default":"A")"), "", ""},
      {enm(R"("A")", "E", R"(,"default":"A")"), enm(R"("B")"), "", "MISSING_ENUM_SYMBOLS /symbols"},
      {enm(R"("A")"), enm(R"("A")", "D"), "NAME_MISMATCH /name", "NAME_MISMATCH /name"},
      {rec(""), rec("", "S"), "NAME_MISMATCH /name", "NAME_MISMATCH /name"},
      {rec("", "R", R"(,"aliases":["S"])"), rec("", "S"), "", "NAME_MISMATCH /name"},
      {rec("", "n.R"), rec("", "R"), "", ""},
      {rec(""), R"({"type":"error","name":"R","fields":[]})", "", ""},
  };
  for (const Row& row : rows) check(row);
}

TEST_CASE("avro resolution: fields") {
  const std::string a = fld("a", kInt), b = fld("b", kInt), b_default = fld("b", kInt, R"(,"default":1)");
  const Row rows[] = {
      {rec(a), rec(a), "", ""},
      {rec(a + "," + b), rec(b + "," + a), "", ""},
      {rec(a + "," + b), rec(a), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/1", ""},
      {rec(a + "," + b_default), rec(a), "", ""},
      {rec(a), rec(b), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0", "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
      {rec(fld("a", kInt, R"(,"aliases":["b"])")), rec(b), "", "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
      {rec(fld("a", kString, R"(,"aliases":["b"])")), rec(b), "TYPE_MISMATCH /fields/0/type",
       "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
      {rec(fld("a", kInt, R"(,"aliases":["b"])")), rec(fld("a", kInt) + "," + fld("b", kString)), "",
       "READER_FIELD_MISSING_DEFAULT_VALUE /fields/1"},
      {rec(fld("a", kLong)), rec(a), "", "TYPE_MISMATCH /fields/0/type"},
      {rec(fld("a", enm("\"A\""))), rec(fld("a", enm(R"("A","B")"))), "MISSING_ENUM_SYMBOLS /fields/0/type/symbols",
       ""},
      {rec(fld("a", enm("\"A\"", "E", R"(,"default":"A")"))), rec(""), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0",
       ""},
      {rec(fld("a", rec(fld("b", kString), "S"))), rec(fld("a", rec(fld("b", kInt), "S"))),
       "TYPE_MISMATCH /fields/0/type/fields/0/type", "TYPE_MISMATCH /fields/0/type/fields/0/type"},
      {rec(fld("a", kInt) + "," + fld("b", kInt)), rec(fld("a", kString)),
       "TYPE_MISMATCH /fields/0/type, READER_FIELD_MISSING_DEFAULT_VALUE /fields/1", "TYPE_MISMATCH /fields/0/type"},
      {rec(fld("a", kInt)), rec(fld("a", kInt, R"(,"doc":"x","order":"ignore")"), "R", R"(,"doc":"y")"), "", ""},
  };
  for (const Row& row : rows) check(row);
}

TEST_CASE("avro resolution: unions") {
  const Row rows[] = {
      {R"(["int","string"])", R"(["string","int"])", "", ""},
      {R"(["null","int"])", kInt, "", kType},
      {R"(["null","long"])", kInt, "", kType + std::string(", TYPE_MISMATCH /")},
      {R"(["int"])", kInt, "", ""},
      {R"(["int","float"])", kDouble, "MISSING_UNION_BRANCH /", ""},
      {R"(["int","string"])", R"(["int"])", "", "MISSING_UNION_BRANCH /1"},
      {R"(["int","null"])", R"(["int","string","bytes"])", "MISSING_UNION_BRANCH /1, MISSING_UNION_BRANCH /2",
       "MISSING_UNION_BRANCH /1"},
      {R"(["string"])", R"(["bytes"])", "", ""},
      {R"(["double"])", R"(["int","float"])", "", "MISSING_UNION_BRANCH /0"},
      {"[]", "[]", "", ""},
      {rec(fld("a", R"(["null","int"])")), rec(fld("a", kInt)), "", "TYPE_MISMATCH /fields/0/type"},
      {rec(fld("a", R"(["null","int"])")), rec(fld("a", kString)), "MISSING_UNION_BRANCH /fields/0/type",
       "TYPE_MISMATCH /fields/0/type, TYPE_MISMATCH /fields/0/type"},
      {rec(fld("a", R"(["null","int"])")), rec(fld("a", R"(["null","int","string"])")),
       "MISSING_UNION_BRANCH /fields/0/type/2", ""},
      {"[" + rec("", "R") + "," + rec(fld("a", kInt), "S") + "]", rec(fld("a", kInt), "S"), "",
       "NAME_MISMATCH /name, READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
      {"[" + rec(fld("a", kInt), "S") + "]", rec("", "S"), "MISSING_UNION_BRANCH /", ""},
  };
  for (const Row& row : rows) check(row);
}

std::string list(std::string_view value, std::string_view name = "L") {
  return rec(fld("value", value) + "," + fld("next", fmt::format(R"(["null","{}"])", name)), name);
}

TEST_CASE("avro resolution: types that contain themselves") {
  const Row rows[] = {
      {list(kLong), list(kInt), "", "TYPE_MISMATCH /fields/0/type, MISSING_UNION_BRANCH /fields/1/type/1"},
      {list(kInt), list(kInt), "", ""},
      {rec(fld("children", R"({"type":"array","items":"R"})") + "," + fld("x", kInt, R"(,"default":0)")),
       rec(fld("children", R"({"type":"array","items":"R"})")), "", ""},
  };
  for (const Row& row : rows) check(row);
}

// S is readable only if R is. R is not, so that the second branch, which needs S alone, is no way out.
TEST_CASE("avro resolution: what was taken for readable meanwhile is looked at again") {
  const std::string reader =
      rec(fld("u", "[" + rec(fld("s", rec(fld("back", "\"R\""), "S")) + "," + fld("x", kInt), "A") + "," +
                       rec(fld("s", "\"S\""), "A2", R"(,"aliases":["A"])") + "]") +
          "," + fld("y", kInt));
  const std::string writer = rec(fld("u", rec(fld("s", rec(fld("back", "\"R\""), "S")), "A")));
  CHECK(differences(reader, writer).find("READER_FIELD_MISSING_DEFAULT_VALUE /fields/1") != std::string::npos);
  const std::string part = R"({"type":"record","name":"W","fields":[{"name":"r","type":)";
  CHECK_FALSE(differences(part + reader + "}]}", part + writer + "}]}").empty());
}

TEST_CASE("avro resolution: what is deep or large gets an answer") {
  const auto chain = [](int length, std::string_view last) {
    std::string text = fmt::format(R"([{{"type":"record","name":"R0","fields":[{{"name":"a","type":{}}}]}})", last);
    for (int i = 1; i < length; ++i)
      text += fmt::format(R"(,{{"type":"record","name":"R{}","fields":[{{"name":"a","type":"R{}"}}]}})", i, i - 1);
    return text + "]";
  };
  CHECK(differences(chain(500, kLong), chain(500, kInt)) == "");
  CHECK(differences(chain(5000, kLong), chain(5000, kInt)) == "");
  CHECK(differences(chain(100, kInt), chain(100, kLong)).starts_with("MISSING_UNION_BRANCH /0, "));
  // Met for the first time at its deepest.
  const auto backwards = [&](std::string_view unused) {
    return rec(fld(unused, chain(5000, kInt), R"(,"default":{"a":1})") + "," + fld("z", "\"R4999\""));
  };
  CHECK(differences(backwards("x"), backwards("y")) == kType);
  std::string wide = "[\"null\"";
  for (int i = 0; i < 2000; ++i) wide += "," + fix(1, fmt::format("F{}", i));
  CHECK(differences(wide + "]", wide + "]") == "");
}

}  // namespace
}  // namespace pg
