#include "core/store/metadata_json.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

TopicMetadata sample_topic(SeededRandom& random) {
  TopicMetadata topic{.name = "orders", .id = random.uuid(), .config = {{"segment.ms", "5"}}, .partitions = {}};
  topic.partitions = {{{BrokerId(0), BrokerId(2)}, BrokerId(2), LeaderEpoch(7), {BrokerId(2)}},
                      {{BrokerId(1)}, BrokerId(1), LeaderEpoch(0), {}}};
  return topic;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("metadata_json: a topic comes back as it was") {
  SeededRandom random;
  const TopicMetadata topic = sample_topic(random);
  const TopicMetadata read = must(parse_topic(write_topic(topic)));
  CHECK(read.name == topic.name);
  CHECK(read.id == topic.id);
  CHECK((read.config == topic.config));
  CHECK_FALSE(read.read_only);
  REQUIRE(read.partitions.size() == 2);
  CHECK((read.partitions[0].replicas == topic.partitions[0].replicas));
  CHECK((read.partitions[0].leader == BrokerId(2)));
  CHECK(read.partitions[0].leader_epoch == LeaderEpoch(7));
  CHECK((read.partitions[0].in_sync == topic.partitions[0].in_sync));
  CHECK(read.partitions[1].in_sync.empty());
  CHECK(read.has(PartitionId(1)));
  CHECK_FALSE(read.has(PartitionId(2)));
  CHECK_FALSE(read.has(PartitionId(-1)));
}

TEST_CASE("metadata_json: a cluster comes back as it was") {
  SeededRandom random;
  const ClusterMetadata cluster{
      random.uuid(), {{BrokerId(0)}, {BrokerId(7), "/disk"}}, {{"broker.session.timeout.ms", "3000"}}};
  const ClusterMetadata read = must(parse_cluster(write_cluster(cluster)));
  CHECK(read.id == cluster.id);
  CHECK((read.brokers == cluster.brokers));
  CHECK(read.config == cluster.config);
  CHECK_FALSE(read.read_only);
}

TEST_CASE("metadata_json: features decide who may read and who may write") {
  SeededRandom random;
  const std::string topic = write_topic(sample_topic(random)), cluster = write_cluster({random.uuid(), {}});
  CHECK(must(parse_topic(replaced(topic, "\"compatible\":0", "\"compatible\":5"))).read_only == false);
  CHECK(must(parse_topic(replaced(topic, "\"read_only_compatible\":0", "\"read_only_compatible\":1"))).read_only);
  CHECK(must(parse_cluster(replaced(cluster, "\"read_only_compatible\": 0", "\"read_only_compatible\": 1"))).read_only);
  CHECK(code_of(parse_topic(replaced(topic, "\"incompatible\":0", "\"incompatible\":1"))) == Errc::unsupported_version);
  CHECK(code_of(parse_topic(replaced(topic, "\"format\":1", "\"format\":2"))) == Errc::unsupported_version);
  CHECK(code_of(parse_cluster(replaced(cluster, "\"incompatible\": 0", "\"incompatible\": 8"))) ==
        Errc::unsupported_version);
}

TEST_CASE("metadata_json: names that a newer version added are ignored") {
  SeededRandom random;
  const std::string text = write_topic(sample_topic(random));
  CHECK(must(parse_topic(replaced(text, "{\"format\"", "{\"new\":[1,2],\"format\""))).name == "orders");
}

TEST_CASE("metadata_json: malformed metadata is corrupt, whatever is wrong with it") {
  SeededRandom random;
  const std::string text = write_topic(sample_topic(random));
  for (size_t length = 0; length + 2 < text.size(); ++length) {
    REQUIRE(code_of(parse_topic(text.substr(0, length))) == Errc::corrupt);
  }
  for (const std::string& bad :
       {std::string("null"), std::string("[]"), std::string("{}"), replaced(text, "\"orders\"", "7"),
        replaced(text, "\"partitions\":[", "\"partitions\":[5,"), replaced(text, "\"leader\":2", "\"leader\":\"2\""),
        replaced(text, "\"segment.ms\":\"5\"", "\"segment.ms\":5"),
        replaced(text, uuid_text(must(parse_topic(text)).id), "short"),
        replaced(text, "\"incompatible\":0", "\"incompatible\":null"), replaced(text, "orders", "\xff\xfe")}) {
    CAPTURE(bad);
    CHECK(code_of(parse_topic(bad)) == Errc::corrupt);
  }
}
