#include "core/format/path_names.h"

#include "core/base/limits.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

TEST_CASE("path_names: topic names follow Kafka's rule") {
  for (const std::string& name : {std::string("a"), std::string("orders-eu_2.v1"), std::string("..."), std::string("-"),
                                  std::string("__consumer_offsets"), std::string(249, 'x')}) {
    CAPTURE(name);
    CHECK(names::check_topic(name).has_value());
  }
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string(250, 'x'),
                                  std::string("a/b"), std::string("a b"), std::string("a\nb"), std::string("grün"),
                                  std::string("a\0b", 3), std::string("../x"), std::string("a:b")}) {
    CAPTURE(name);
    CHECK(code_of(names::check_topic(name)) == Errc::invalid_argument);
  }
}

TEST_CASE("path_names: an illegal name is shown without its control characters and not whole") {
  CHECK(error_of(names::check_topic("a\033[31m\n")).what ==
        "illegal topic name 'a?[31m?': only [a-zA-Z0-9._-] are allowed");
  CHECK(error_of(names::check_topic(std::string(1000, 'x'))).what.size() < 200);
}

TEST_CASE("path_names: consumer groups") {
  CHECK(names::check_group_name("nightly.v1_a-b").has_value());
  CHECK(names::check_group_name(std::string(249, 'x')).has_value());
  CHECK(error_of(names::check_group_name("a/b")).what == "illegal group name 'a/b': only [a-zA-Z0-9._-] are allowed");
  CHECK(code_of(names::check_group_name("")) == Errc::invalid_argument);
  CHECK(code_of(names::check_group_name("..")) == Errc::invalid_argument);
  CHECK(code_of(names::check_group_name(std::string(250, 'x'))) == Errc::invalid_argument);

  CHECK(names::group_directory("/home", "g") == "/home/groups/g");
  CHECK(names::group_members_lock("/home", "g") == "/home/groups/g/members.lock");
  CHECK(names::group_heartbeats("/home", "g") == "/home/groups/g/heartbeats");
  // No topic's name collides with the group's own files, and the longest leaves room for the suffix.
  CHECK(names::group_owners_lock("/home", "g", "heartbeats") == "/home/groups/g/owners/heartbeats.lock");
  CHECK(names::last_component(names::group_owners_lock("/home", "g", std::string(249, 'x'))).size() <= 255);
}

TEST_CASE("path_names: segment files") {
  using names::SegmentFile;
  CHECK(names::segment("/d", Offset(0), SegmentFile::log) == "/d/00000000000000000000.log");
  CHECK(names::segment("/d", Offset(42), SegmentFile::offset_index) == "/d/00000000000000000042.index");
  CHECK(names::segment("/d", Offset(INT64_MAX), SegmentFile::time_index) == "/d/09223372036854775807.timeindex");
  CHECK(names::torn("/d", Offset(42), 3) == "/d/00000000000000000042.torn-3");
  CHECK(names::parse_log("00000000000000000042.log") == Offset(42));
  CHECK(names::parse_log("04611686018427387904.log") == Offset(kOffsetMax));
  for (const char* name : {"", ".log", "42.log", "0000000000000000042.log", "000000000000000000042.log",
                           "00000000000000000042.index", "00000000000000000042.log.deleted", "0000000000000000004x.log",
                           "-0000000000000000042.log", "04611686018427387905.log", "09223372036854775808.log",
                           "99999999999999999999.log", "00000000000000000042.torn-1"}) {
    CAPTURE(name);
    CHECK(names::parse_log(name) == std::nullopt);
  }
}

TEST_CASE("path_names: partition directories") {
  const auto parse = [](std::string_view name) { return names::parse_partition_directory(name); };
  CHECK(names::partition_directory("/logs", {"orders-eu", PartitionId(3)}) == "/logs/orders-eu-3");
  CHECK((parse("orders-eu-3") == TopicPartition{"orders-eu", PartitionId(3)}));
  CHECK((parse("t-0") == TopicPartition{"t", PartitionId(0)}));
  CHECK((parse("--2147483647") == TopicPartition{"-", PartitionId(2147483647)}));
  for (const char* name :
       {"", "t", "t-", "-0", "t-00", "t-01", "t-x", "t--", "t-2147483648", "t/0", "..-0", "t-1.uuid-delete"}) {
    CAPTURE(name);
    CHECK_FALSE(parse(name).has_value());
  }
}

TEST_CASE("path_names: the longest topic name leaves room for every directory made of it") {
  SeededRandom random;
  const std::string longest(249, 'x');
  for (const int32_t partition : {0, 99'999}) {
    const TopicPartition which{longest, PartitionId(partition)};
    for (const std::string& path :
         {names::partition_directory("/logs", which), names::deleted_partition_directory("/logs", which, random.uuid()),
          names::new_partition_directory("/logs", which, random.uuid())}) {
      CAPTURE(path);
      CHECK(names::last_component(path).size() <= 255);
    }
  }
}

TEST_CASE("path_names: directories that are made or deleted are no partitions") {
  SeededRandom random;
  for (int i = 0; i < 200; ++i) {
    const TopicPartition which{"t", PartitionId(1)};
    const Uuid id = random.uuid();
    const std::string deleted = names::deleted_partition_directory("/logs", which, id);
    CHECK(deleted == "/logs/t-1." + uuid_text(id) + "-delete");
    const std::string made = names::new_partition_directory("/logs", which, id);
    CHECK(made == "/logs/t-1." + uuid_text(id) + "-new");
    CHECK((names::parse_partition_stage(names::last_component(deleted)) == names::PartitionStage::deleted));
    CHECK((names::parse_partition_stage(names::last_component(made)) == names::PartitionStage::making));
    CHECK_FALSE(names::parse_partition_directory(names::last_component(deleted)).has_value());
  }
}

TEST_CASE("path_names: what is not such a directory is never taken for one") {
  const std::string id = uuid_text(Uuid{});
  for (const std::string& name :
       std::vector<std::string>{"t-1", "t-new", "-delete", "t-1.short-delete", "t-x." + id + "-new",
                                "t1." + id + "-new", "t-1." + id, "t-1." + id + "-news"}) {
    CAPTURE(name);
    CHECK_FALSE(names::parse_partition_stage(name).has_value());
  }
}

TEST_CASE("path_names: versions of a file") {
  CHECK(names::versioned("/h/cluster.json", 7) == "/h/cluster.json.v7");
  CHECK(names::parse_version("cluster.json.v7", "cluster.json") == 7);
  CHECK(names::parse_version("cluster.json.v9223372036854775807", "cluster.json") == INT64_MAX);
  for (const char* name :
       {"cluster.json", "cluster.json.v", "cluster.json.v-1", "cluster.json.v1.tmp", "cluster.json.vx",
        "cluster.json.abc.tmp", "Cluster.json.v1", "xcluster.json.v1", "cluster.json.v9223372036854775808"}) {
    CAPTURE(name);
    CHECK(names::parse_version(name, "cluster.json") == std::nullopt);
  }
}

TEST_CASE("path_names: the rest of a home") {
  CHECK(names::log_directory("/h", BrokerId(0)) == "/h/brokers/0");
  CHECK(names::log_directory_lock("/h/brokers/0") == "/h/brokers/0/.lock");
  CHECK(names::recovery_checkpoint("/l") == "/l/recovery-point-offset-checkpoint");
  CHECK(names::meta_properties("/l") == "/l/meta.properties");
  CHECK(names::partition_lock("/d") == "/d/partition.lock");
  CHECK(names::partition_state("/d") == "/d/partition.state");
  CHECK(names::epoch_checkpoint("/d") == "/d/leader-epoch-checkpoint");
  CHECK(names::partition_metadata("/d") == "/d/partition.metadata");
  CHECK(names::cluster_file("/h") == "/h/cluster.json");
  CHECK(names::topic_file("/h", "t") == "/h/topics/t/topic.json");
  CHECK(names::broker_lock("/h", BrokerId(3)) == "/h/locks/broker-3.lock");
  CHECK(names::supervisor_lock("/h", BrokerId(3)) == "/h/locks/supervisor-3.lock");
  CHECK(names::older_log(names::broker_log("/h", BrokerId(3))) == "/h/logs/broker-3.log.1");
  CHECK(names::last_component("/a/b") == "b");
  CHECK(names::last_component("b") == "b");
}

TEST_CASE("path_names: a segment file on its way in or out has a second suffix, and is no .log") {
  using names::SegmentFile, names::SegmentStage;
  for (const auto kind : names::kSegmentFiles) {
    for (const auto stage : {SegmentStage::live, SegmentStage::cleaned, SegmentStage::swap, SegmentStage::deleted}) {
      const auto path = names::segment("/d", Offset(42), kind, stage);
      const auto parsed = names::parse_segment(names::last_component(path));
      REQUIRE(parsed);
      CHECK(parsed->base_offset == Offset(42));
      CHECK((parsed->kind == kind && parsed->stage == stage));
      CHECK(names::parse_log(names::last_component(path)).has_value() ==
            (kind == SegmentFile::log && stage == SegmentStage::live));
    }
  }
  CHECK(names::segment("/d", Offset(42), SegmentFile::log, SegmentStage::deleted) ==
        "/d/00000000000000000042.log.deleted");
  for (const auto* other : {"00000000000000000042.log.cleaned.swap", "00000000000000000042.torn-1", "42.log.swap",
                            "00000000000000000042", "00000000000000000042.swap", "leader-epoch-checkpoint"}) {
    CHECK(!names::parse_segment(other));
  }
}
