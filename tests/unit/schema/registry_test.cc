#include "core/schema/registry.h"

#include <doctest/doctest.h>

#include <thread>

#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/unit/schema/fake_schema.h"

namespace pg {
namespace {

using Level = CompatibilityLevel;
using Versions = std::vector<int32_t>;

// What went wrong, as a number; 0: nothing did.
template <class T>
int refused(const RegistryResult<T>& result) {
  return result ? 0 : static_cast<int>(result.error().code);
}

template <class T>
T got(RegistryResult<T> result) {
  if (!result)
    throw std::runtime_error(std::to_string(static_cast<int>(result.error().code)) + ": " +
                             result.error().error.message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct Scene {
  TestHome t;
  Registry registry = open();

  Registry open() { return must(Registry::open(*t.home, t.env.soon(), FakeSchema::parse)); }
  RegistryResult<RegisteredSchema> add(const std::string& subject, const std::string& text,
                                       SchemaType type = SchemaType::json) {
    return registry.register_schema(subject, {type, text}, CompatibilityPolicy::strict, t.env.soon());
  }
  int32_t id(const std::string& subject, const std::string& text, SchemaType type = SchemaType::json) {
    return got(add(subject, text, type)).id;
  }
  void level(std::optional<std::string> subject, std::optional<Level> level) {
    got(registry.set_level(subject, level, t.env.soon()));
  }
  Versions drop(const std::string& subject, bool permanent = false) {
    return got(registry.delete_subject(subject, permanent, t.env.soon()));
  }
  int32_t drop_version(const std::string& subject, std::optional<int32_t> version, bool permanent = false) {
    return got(registry.delete_version(subject, version, permanent, t.env.soon()));
  }
  // What another program writes to the log.
  void write(std::vector<TableRow> rows) {
    auto table = must(LogTable::open(*t.home, kSchemasTable, t.env.soon()));
    must(table.catch_up([](auto, auto) { return Result<>(); }, [] {}, t.env.soon()));
    CHECK(must(table.append(rows, t.env.soon())));
  }
  // All that a registry has to say, of these subjects.
  std::string state(Registry& of, int32_t ids = 20) {
    std::string text;
    for (const auto& subject : got(of.subjects("", Deleted::too))) {
      for (const int32_t version : got(of.versions(subject, Deleted::too))) {
        const auto schema = got(of.find(subject, version, Deleted::too));
        text += subject + ":" + std::to_string(version) + "=" + std::to_string(schema.id) +
                (schema.deleted ? "D " : " ") + schema.text + "\n";
      }
      text += std::string(level_name(got(of.level(subject)).value)) + " " +
              std::string(mode_name(got(of.mode(subject)).value)) + "\n";
    }
    for (int32_t id = 1; id <= ids; ++id) {
      if (const auto having = of.versions_of_id(id, Deleted::too))
        text += std::to_string(id) + ": " + std::to_string(having->size()) + "\n";
    }
    return text;
  }
};

}  // namespace

TEST_CASE("registry: nothing is there, and looking makes nothing") {
  Scene s;
  CHECK(got(s.registry.subjects("", Deleted::too)).empty());
  CHECK(refused(s.registry.versions("s", Deleted::no)) == 40401);
  CHECK(refused(s.registry.find("s", 1, Deleted::no)) == 40401);
  CHECK(refused(s.registry.find_id(1)) == 40403);
  CHECK(refused(s.registry.lookup("s", {SchemaType::json, "a"}, Deleted::no)) == 40401);
  CHECK(refused(s.registry.delete_subject("s", false, s.t.env.soon())) == 40401);
  CHECK_FALSE(got(s.registry.own_level({})));
  CHECK(got(s.registry.level({})).value == Level::backward);
  CHECK(got(s.registry.check("s", {}, {SchemaType::json, "a"}, CompatibilityPolicy::strict)).empty());
  CHECK(code_of(s.t.home->describe_topic(kSchemasTable)) == Errc::not_found);
}

TEST_CASE("registry: a schema has one id, whatever the subject, and one version in each") {
  Scene s;
  CHECK(s.id("s", "a") == 1);
  CHECK(s.id("s", "a,b?") == 2);
  CHECK(s.id("t", "a , b?") == 2);
  CHECK(s.id("s", " a") == 1);
  CHECK(s.id("u", "a", SchemaType::avro) == 3);
  Registry other = s.open();
  CHECK(got(other.versions("s", Deleted::no)) == Versions{1, 2});
  CHECK(got(other.find("s", {}, Deleted::no)).text == "a,b?");
  CHECK(got(other.find("s", 1, Deleted::no)).text == "a");
  CHECK(refused(other.find("s", 3, Deleted::no)) == 40402);
  CHECK(got(other.find_id(2)).text == "a,b?");
  CHECK(got(other.versions_of_id(2, Deleted::no)) == std::vector<SubjectVersion>{{"s", 2}, {"t", 1}});
  CHECK(got(other.lookup("t", {SchemaType::json, "a,b?"}, Deleted::no)).version == 1);
  CHECK(refused(other.lookup("t", {SchemaType::json, "a"}, Deleted::no)) == 40403);
  CHECK(refused(other.lookup("t", {SchemaType::json, "!"}, Deleted::no)) == 42201);
}

TEST_CASE("registry: each level looks where it has to, newest first, and says what does not fit") {
  struct Row {
    Level level;
    const char *one, *two, *candidate;
    int incompatible;
    const char* path;
  };
  const Row rows[] = {
      {Level::none, "a", "b", "c", 0, ""},
      {Level::backward, "a", "a,b?", "a", 0, ""},
      {Level::backward, "a", "a,b?", "a,c", 1, "/c"},
      {Level::backward, "a", "b", "b", 0, ""},
      {Level::backward, "x", "a,b", "b", 0, ""},
      {Level::backward_transitive, "x", "a,b", "b", 1, "/b"},
      {Level::forward, "x?", "a,b", "b", 1, "/a"},
      {Level::forward, "x", "a,b?", "a,c", 0, ""},
      {Level::forward_transitive, "x", "a,b?", "a,c", 1, "/x"},
      {Level::full, "x", "a", "a,b?", 0, ""},
      {Level::full, "x", "a", "b", 2, "/b"},
      {Level::full_transitive, "x", "a", "a,b?", 2, "/a"},
  };
  for (const auto& row : rows) {
    CAPTURE(level_name(row.level));
    CAPTURE(row.candidate);
    Scene s;
    s.level("s", Level::none);
    s.id("s", row.one);
    s.id("s", row.two);
    s.level("s", row.level);
    const bool known = std::string(row.candidate) == row.one || std::string(row.candidate) == row.two;
    const auto found = got(s.registry.check("s", {}, {SchemaType::json, row.candidate}, CompatibilityPolicy::strict));
    CHECK(static_cast<int>(found.size()) == row.incompatible);
    if (!found.empty()) CHECK(found[0].path == row.path);
    const auto added = s.add("s", row.candidate);
    CHECK(refused(added) == (row.incompatible > 0 ? 409 : 0));
    if (!added) CHECK(added.error().incompatible.size() == found.size());
    if (!added) CHECK(added.error().error.code == Errc::conflict);
    CHECK(got(s.registry.versions("s", Deleted::no)).size() == (row.incompatible > 0 || known ? 2 : 3));
    CHECK(got(s.registry.check("s", {}, {SchemaType::json, row.candidate}, CompatibilityPolicy::lenient)).empty());
  }
}

TEST_CASE("registry: one version can be compared with, and another type never fits") {
  Scene s;
  s.level("s", Level::none);
  s.id("s", "a");
  s.id("s", "b");
  s.level("s", Level::backward);
  CHECK(got(s.registry.check("s", 1, {SchemaType::json, "a"}, CompatibilityPolicy::strict)).empty());
  CHECK(got(s.registry.check("s", 2, {SchemaType::json, "a"}, CompatibilityPolicy::strict)).size() == 1);
  CHECK(refused(s.registry.check("s", 3, {SchemaType::json, "a"}, CompatibilityPolicy::strict)) == 40402);
  CHECK(refused(s.registry.check("t", 1, {SchemaType::json, "a"}, CompatibilityPolicy::strict)) == 40401);
  const auto other_type = got(s.registry.check("s", {}, {SchemaType::avro, "b"}, CompatibilityPolicy::strict));
  REQUIRE(other_type.size() == 1);
  CHECK(other_type[0].kind == "SCHEMA_TYPE_CHANGED");
}

TEST_CASE("registry: levels hold for all subjects or for one, whose own can go again") {
  Scene s;
  s.level({}, Level::none);
  CHECK(got(s.registry.level("s")).value == Level::none);
  CHECK(got(s.registry.level("s")).inherited);
  CHECK_FALSE(got(s.registry.own_level("s")));
  s.level("s", Level::full);
  CHECK(got(s.open().level("s")).value == Level::full);
  CHECK_FALSE(got(s.registry.level("s")).inherited);
  s.level("s", {});
  CHECK(got(s.open().level("s")).value == Level::none);
  CHECK(refused(s.registry.set_level("s", {}, s.t.env.soon())) == 40408);
  CHECK(got(s.registry.set_level({}, {}, s.t.env.soon())) == Level::none);
  CHECK(got(s.open().level({})).value == Level::backward);
}

TEST_CASE("registry: softly deleted, then for good; no id is given twice") {
  Scene s;
  s.id("s", "a");
  s.id("s", "a,b?");
  s.level("s", Level::full);
  CHECK(refused(s.registry.delete_subject("s", true, s.t.env.soon())) == 40405);
  CHECK(refused(s.registry.delete_version("s", 1, true, s.t.env.soon())) == 40407);
  CHECK(refused(s.registry.delete_version("s", 3, false, s.t.env.soon())) == 40402);
  CHECK(s.drop_version("s", 1) == 1);
  CHECK(refused(s.registry.delete_version("s", 1, false, s.t.env.soon())) == 40406);
  CHECK(got(s.registry.versions("s", Deleted::no)) == Versions{2});
  CHECK(refused(s.registry.find("s", 1, Deleted::no)) == 40402);
  CHECK(got(s.registry.find("s", 1, Deleted::too)).deleted);
  CHECK(got(s.registry.find_id(1)).text == "a");
  CHECK(got(s.registry.versions_of_id(1, Deleted::no)).empty());
  CHECK(got(s.registry.versions_of_id(1, Deleted::too)).size() == 1);
  CHECK(s.drop("s") == Versions{2});
  CHECK(refused(s.registry.delete_subject("s", false, s.t.env.soon())) == 40404);
  CHECK(refused(s.registry.versions("s", Deleted::no)) == 40401);
  CHECK(got(s.registry.subjects("", Deleted::no)).empty());
  CHECK(got(s.registry.subjects("", Deleted::too)).size() == 1);
  CHECK_FALSE(got(s.registry.own_level("s")));
  CHECK(s.state(s.registry) == [&] {
    Registry other = s.open();
    return s.state(other);
  }());

  SUBCASE("registered again it is a new version, with the same id") {
    CHECK(s.id("s", "a") == 1);
    CHECK(got(s.registry.versions("s", Deleted::no)) == Versions{3});
    CHECK(s.drop_version("s", {}) == 3);
  }
  SUBCASE("for good: the ids are used up, the versions are not") {
    CHECK(s.drop_version("s", 1, true) == 1);
    CHECK(refused(s.registry.find_id(1)) == 40403);
    CHECK(s.drop("s", true) == Versions{2});
    CHECK(refused(s.registry.delete_subject("s", true, s.t.env.soon())) == 40401);
    Registry other = s.open();
    const auto again =
        got(other.register_schema("s", {SchemaType::json, "a,b?"}, CompatibilityPolicy::strict, s.t.env.soon()));
    CHECK(again.id == 3);
    CHECK(again.version == 1);
  }
}

TEST_CASE("registry: a read-only one takes nothing, and gives what it has") {
  Scene s;
  s.id("s", "a");
  got(s.registry.set_mode("s", RegistryMode::readonly, s.t.env.soon()));
  CHECK(refused(s.add("s", "a,b?")) == 42205);
  CHECK(s.add("s", "b").error().error.code == Errc::conflict);
  CHECK(s.id("s", "a") == 1);
  CHECK(s.id("t", "a") == 1);
  CHECK(refused(s.registry.delete_subject("s", false, s.t.env.soon())) == 42205);
  CHECK(refused(s.registry.delete_version("s", 1, false, s.t.env.soon())) == 42205);
  CHECK(refused(s.registry.set_level("s", Level::full, s.t.env.soon())) == 42205);
  got(s.registry.set_mode("s", {}, s.t.env.soon()));
  got(s.registry.set_mode({}, RegistryMode::readonly, s.t.env.soon()));
  CHECK(refused(s.add("s", "a,b?")) == 42205);
  CHECK(refused(s.registry.set_level({}, Level::full, s.t.env.soon())) == 42205);
  got(s.registry.set_mode("s", RegistryMode::readwrite, s.t.env.soon()));
  CHECK(s.id("s", "a,b?") == 2);
  CHECK(got(s.registry.mode("t")).inherited);
  CHECK(refused(s.registry.set_mode("t", {}, s.t.env.soon())) == 40409);
}

TEST_CASE("registry: names of subjects") {
  for (const std::string& name : {std::string(), std::string(kSubjectBytesMax + 1, 'x'), std::string("a\nb"),
                                  std::string("a\0b", 3), std::string("\x7f"), std::string("\xff")}) {
    CAPTURE(name);
    CHECK(refused(check_subject(name)) == 42208);
  }
  for (const std::string& name :
       {std::string(kSubjectBytesMax, 'x'), std::string("é/a b\"\\"), std::string(":.ctx:s"), std::string("日本")}) {
    CAPTURE(name);
    Scene s;
    CHECK(s.id(name, "a") == 1);
    Registry other = s.open();
    CHECK(got(other.find(name, {}, Deleted::no)).subject == name);
    CHECK(got(other.subjects("", Deleted::no)) == std::vector{name});
  }
}

TEST_CASE("registry: the rows of another program count; those that make no sense are passed over") {
  Scene s;
  s.write(
      {{R"({"keytype":"NOOP","magic":0})", {}},
       {R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
        R"({"subject":"s","version":1,"id":40,"schema":"a","deleted":false})"},
       {R"({"keytype":"SCHEMA","subject":"s","version":2,"magic":1})",
        R"({"subject":"s","version":2,"id":41,"schema":"a , b?","deleted":false})"},
       {R"({"keytype":"SCHEMA","subject":"x","version":1,"magic":1})",
        R"({"subject":"x","version":1,"id":50,"schemaType":"XML","schema":"a","deleted":false})"},
       {R"({"keytype":"SCHEMA","subject":"r","version":1,"magic":1})",
        R"({"subject":"r","version":1,"id":45,"references":[{"name":"n","subject":"s","version":1}],"schema":"a","deleted":false})"},
       {"what is this", "?"},
       {R"({"keytype":"SCHEMA","subject":"s","version":3,"magic":1})", "no JSON"},
       {R"({"keytype":"CONFIG","subject":null,"magic":0})", R"({"compatibilityLevel":"SIDEWAYS"})"}});
  must(s.registry.catch_up(s.t.env.soon()));
  CHECK(got(s.registry.versions("s", Deleted::no)) == Versions{1, 2});
  CHECK(got(s.registry.level("s")).value == Level::backward);
  CHECK(refused(s.registry.find("x", 1, Deleted::no)) == 42201);
  CHECK(s.id("s", "a,b?", SchemaType::avro) == 41);
  CHECK(refused(s.add("r", "b?", SchemaType::avro)) == 42201);
  CHECK(s.id("new", "c", SchemaType::avro) == 51);
  s.write({{R"({"keytype":"DELETE_SUBJECT","subject":"s","magic":0})", R"({"subject":"s","version":1})"},
           {R"({"keytype":"CLEAR_SUBJECT","subject":"r","magic":0})", R"({"subject":"r"})"}});
  must(s.registry.catch_up(s.t.env.soon()));
  CHECK(got(s.registry.versions("s", Deleted::no)) == Versions{2});
  CHECK(refused(s.registry.versions("r", Deleted::too)) == 40401);
}

TEST_CASE("registry: a topic that was deleted leaves nothing behind, in one that was open too") {
  Scene s;
  s.id("s", "a");
  s.id("s", "a,b?");
  must(s.t.home->delete_topic(kSchemasTable, s.t.env.soon()));
  must(s.registry.catch_up(s.t.env.soon()));
  CHECK(got(s.registry.subjects("", Deleted::too)).empty());
  CHECK(s.id("t", "c") == 1);
  must(s.t.home->delete_topic(kSchemasTable, s.t.env.soon()));
  Registry other = s.open();
  got(other.register_schema("u", {SchemaType::json, "d"}, CompatibilityPolicy::strict, s.t.env.soon()));
  CHECK(s.id("u", "d") == 1);
  CHECK(got(s.registry.subjects("", Deleted::too)) == std::vector<std::string>{"u"});
}

TEST_CASE("registry: many at once give one id each") {
  Scene s;
  constexpr int kWriters = 8, kSchemas = 20;
  std::vector<std::thread> writers;
  std::vector<std::string> failures(kWriters);
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      try {
        auto home = must(Home::open(s.t.env.env(), s.t.path));
        auto registry = must(Registry::open(*home, s.t.env.soon(), FakeSchema::parse));
        for (int i = 0; i < kSchemas; ++i) {
          const std::string text = "f" + std::to_string(i), subject = "s" + std::to_string((i + writer) % 4);
          got(registry.set_level(subject, Level::none, s.t.env.soon()));
          got(registry.register_schema(subject, {SchemaType::json, text}, CompatibilityPolicy::strict, s.t.env.soon()));
        }
      } catch (const std::exception& error) {
        failures[static_cast<size_t>(writer)] = error.what();
      }
    });
  }
  for (auto& writer : writers) writer.join();
  for (const auto& failure : failures) CHECK(failure == "");
  Registry registry = s.open();
  for (int32_t id = 1; id <= kSchemas; ++id) CHECK(got(registry.versions_of_id(id, Deleted::too)).size() == 4);
  CHECK(refused(registry.find_id(kSchemas + 1)) == 40403);
  for (const auto& subject : got(registry.subjects("", Deleted::no)))
    CHECK(got(registry.versions(subject, Deleted::no)).size() == kSchemas);
}

TEST_CASE("registry: the index says what the log says, and any doubt about it is for the log") {
  Scene s;
  const std::string path = names::schema_index(s.t.path);
  auto& files = s.t.env.files;
  const std::string large = "a," + std::string(3000, 'x') + "?,";
  const auto fill = [&](int from, int to) {
    for (int i = from; i < to; ++i) s.id("s" + std::to_string(i % 5), large + std::to_string(i) + "?");
  };
  s.level({}, Level::none);
  fill(0, 12);
  s.drop("s1");
  s.drop_version("s2", 1);
  REQUIRE(exists(files, path));
  const auto write_back = [&](std::string_view content) {
    if (exists(files, path)) must(files.unlink(path));
    auto file = must(files.open(path, OpenMode::create_new));
    must(file->write_at(0, as_bytes(content)));
  };
  const auto same = [&](std::string_view index) {
    must(files.unlink(path));
    Registry without = s.open();
    const std::string truth = s.state(without, 200);
    write_back(index);
    Registry with = s.open();
    CHECK(truth == s.state(with, 200));
  };
  const std::string index = must(files.read_all(path));
  SUBCASE("with more behind it, changed and deleted") {
    s.drop("s1", true);
    s.id("s2", "b");
    same(index);
  }
  SUBCASE("with any byte of it spoilt") {
    for (size_t at = 0; at < index.size(); at += at < 600 || at + 400 > index.size() ? 1 : 97) {
      CAPTURE(at);
      std::string spoilt = index;
      spoilt[at] = static_cast<char>(spoilt[at] ^ 0x20);
      same(spoilt);
    }
  }
  SUBCASE("cut short, empty, or something else") {
    for (const size_t length : {size_t{0}, size_t{10}, index.size() / 2, index.size() - 1})
      same(index.substr(0, length));
    same("no index at all, but a text of more than forty-four bytes");
  }
  SUBCASE("of a topic that was deleted and made again") {
    must(s.t.home->delete_topic(kSchemasTable, s.t.env.soon()));
    Registry fresh = s.open();
    CHECK(got(fresh.subjects("", Deleted::too)).empty());
    got(fresh.register_schema("s0", {SchemaType::json, "z"}, CompatibilityPolicy::strict, s.t.env.soon()));
    same(index);
  }
  SUBCASE("when the log has gone on to other segments, and was compacted") {
    fill(12, 400);
    for (int i = 0; i < 5; ++i) {
      s.drop("s" + std::to_string(i));
      s.drop("s" + std::to_string(i), true);
    }
    same(index);
    must(s.registry.catch_up(s.t.env.soon()));
    Registry other = s.open();
    CHECK(s.state(other, 500) == s.state(s.registry, 500));
    CHECK(s.id("s0", "last") == 401);
  }
}

}  // namespace pg
