#include "core/format/path_names.h"
#include "core/store/home.h"
#include "core/store/log_table.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

std::string topic_version(const TestHome& t, const std::string& name, int64_t version) {
  return names::versioned(names::topic_file(t.path, name), version);
}

}  // namespace

TEST_CASE("home_lost: an empty or lost first version is damage, and is made again of the directories") {
  for (const bool is_lost : {false, true}) {
    CAPTURE(is_lost);
    TestHome t;
    t.create("t", 3);
    t.produce("t", {"a", "b"}, 2);
    const Uuid id = must(t.home->describe_topic("t")).id;
    if (is_lost)
      must(t.env.files.remove_tree(parent_path(names::topic_file(t.path, "t"))));
    else
      overwrite(t.env.files, topic_version(t, "t", 1), "");
    const Error error = error_of(t.home->describe_topic("t"));
    CHECK(error.code == Errc::corrupt);
    CHECK(error.path == topic_version(t, "t", 1));
    CHECK(code_of(t.home->create_topic("t", 1, {}, t.env.soon())) == Errc::corrupt);
    CHECK(t.home->stray_partitions()->size() == (is_lost ? 1 : 0));  // those that hold records

    const auto could = must(t.home->restore_topic("t", false, t.env.soon()));
    CHECK(could->topic.partitions.size() == 3);
    CHECK(could->fault.path == error.path);
    CHECK(code_of(t.home->describe_topic("t")) == Errc::corrupt);
    must(t.home->restore_topic("t", true, t.env.soon()));
    CHECK(must(t.home->describe_topic("t")).id == id);
    CHECK(t.read({.topics = {"t"}}) == "t-2@0=a t-2@1=b");
    CHECK_FALSE(must(t.home->restore_topic("t", true, t.env.soon())).has_value());
  }
}

TEST_CASE("home_lost: an older version that can be read tells the configs") {
  TestHome t;
  t.create("t", 1, {{"segment.bytes", "4096"}});
  must(t.home->alter_topic("t", {.set = {{"retention.ms", "5"}}}, t.env.soon()));
  overwrite(t.env.files, topic_version(t, "t", 2), "{");
  CHECK(code_of(t.home->describe_topic("t")) == Errc::corrupt);
  must(t.home->restore_topic("t", true, t.env.soon()));
  const TopicMetadata topic = must(t.home->describe_topic("t"));
  CHECK(topic.config == ConfigMap{{"segment.bytes", "4096"}});
  CHECK(topic.version == 3);
}

TEST_CASE("home_lost: a table has its configs again") {
  TestHome t;
  must(t.home->create_topic(kSchemasTable, 1, table_config(), t.env.soon()));
  append(*t.log(kSchemasTable), {"x"});
  must(t.env.files.remove_tree(parent_path(names::topic_file(t.path, kSchemasTable))));
  must(t.home->restore_topic(kSchemasTable, true, t.env.soon()));
  CHECK(must(t.home->describe_topic(kSchemasTable)).config == table_config());
}

TEST_CASE("home_lost: a version that damage has emptied is told from a deletion") {
  TestHome t;
  t.create("t");
  t.produce("t", {"a"});
  overwrite(t.env.files, topic_version(t, "t", 2), "");
  CHECK(code_of(t.home->describe_topic("t")) == Errc::corrupt);
  CHECK(must(t.home->list_topics()) == std::vector<std::string>{"t"});
  must(t.home->restore_topic("t", true, t.env.soon()));
  CHECK(t.read({.topics = {"t"}}) == "t-0@0=a");
  must(t.home->delete_topic("t", t.env.soon()));
  CHECK(code_of(t.home->describe_topic("t")) == Errc::not_found);
  // As an earlier version of this program has left it.
  must(t.env.files.unlink(names::deletion_mark(names::topic_file(t.path, "t"), 4)));
  CHECK(code_of(t.home->describe_topic("t")) == Errc::not_found);
  t.create("t");
  // A deletion accepts it.
  overwrite(t.env.files, topic_version(t, "t", 6), "");
  must(t.home->delete_topic("t", t.env.soon()));
  CHECK(code_of(t.home->describe_topic("t")) == Errc::not_found);
}

TEST_CASE("home_lost: directories of several topics of one name are a conflict") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a"}, 0);
  overwrite(t.env.files, t.path + "/brokers/0/t-1/partition.metadata",
            "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n");
  must(t.env.files.remove_tree(parent_path(names::topic_file(t.path, "t"))));
  CHECK(code_of(t.home->restore_topic("t", true, t.env.soon())) == Errc::conflict);
  CHECK(code_of(t.home->restore_topic("nosuch", true, t.env.soon())) == Errc::not_found);
}

TEST_CASE("home_lost: stray partitions are those with records that no topic has") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a"}, 1);
  CHECK(must(t.home->stray_partitions()).empty());
  copy_tree(t.env.files, t.path + "/brokers/0/t-1", t.path + "/brokers/0/t-2");
  copy_tree(t.env.files, t.path + "/brokers/0/t-0", t.path + "/brokers/0/t-3");  // empty
  const auto strays = must(t.home->stray_partitions());
  REQUIRE(strays.size() == 1);
  CHECK(strays[0].directory == t.path + "/brokers/0/t-2");
}
