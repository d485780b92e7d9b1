#include "core/format/group_record.h"

#include "tests/support/golden.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

OffsetKey some_offset_key() { return {"nightly", {"orders-eu", PartitionId(11)}}; }

CommittedOffset some_offset() { return {Offset((int64_t{1} << 40) + 7), LeaderEpoch(3), "by hand", 1'732'320'000'123}; }

GroupMetadata some_group() {
  GroupMetadata group;
  group.generation = 42;
  group.protocol = "sticky";
  group.leader = "m-1";
  group.state_timestamp_ms = 1'732'320'000'456;
  GroupMember first;
  first.id = "m-1";
  first.client_id = "pg-consume-17";
  first.client_host = "/127.0.0.1";
  first.session_timeout_ms = 10'000;
  first.topics = {"orders", "bills"};
  first.process = {5, 1234, 4026531836, uint64_t{1} << 63};
  first.assignment = {{"bills", {PartitionId(0)}}, {"orders", {PartitionId(0), PartitionId(2)}}};
  GroupMember second;
  second.id = "m-2";
  second.session_timeout_ms = 6'000;
  second.topics = {"orders"};
  group.members = {first, second};
  return group;
}

// Bytes, written as hex text in pieces: one per field.
std::string bytes_of(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
  return bytes;
}

// In Kafka's protocol, as a value has them: their length first. The subscription's user data is null.
constexpr const char* kSubscription0 =
    "0000000d"
    "0000"
    "00000001"
    "000174"
    "ffffffff";
constexpr const char* kAssignment0 =
    "00000019"
    "0000"
    "00000001"
    "000174"
    "00000002"
    "00000001"
    "00000000"
    "ffffffff";

}  // namespace

TEST_CASE("group_record: keys and values come back, and their bytes are Kafka's") {
  const std::string offset_key = write_offset_key(some_offset_key()), group_key = write_group_key({"nightly"});
  const std::string offset = write_committed_offset(some_offset()), group = write_group_metadata(some_group());
  CHECK(must(parse_group_record_key(offset_key)) == GroupRecordKey(some_offset_key()));
  CHECK(must(parse_group_record_key(group_key)) == GroupRecordKey(GroupKey{"nightly"}));
  CHECK(must(parse_committed_offset(offset)) == some_offset());
  CHECK(must(parse_group_metadata(group)) == some_group());
  CHECK(hex(offset_key) == golden_hex("group_offset_key.hex", offset_key));
  CHECK(hex(group_key) == golden_hex("group_key.hex", group_key));
  CHECK(hex(offset) == golden_hex("group_offset.hex", offset));
  CHECK(hex(group) == golden_hex("group_metadata.hex", group));
}

TEST_CASE("group_record: a group without members has neither protocol nor leader") {
  GroupMetadata empty;
  empty.generation = 7;
  const std::string bytes = write_group_metadata(empty);
  CHECK(bytes == bytes_of("0003"
                          "0008636f6e73756d6572"
                          "00000007"
                          "ffff"
                          "ffff"
                          "ffffffffffffffff"
                          "00000000"));
  CHECK(must(parse_group_metadata(bytes)) == empty);
}

TEST_CASE("group_record: keys of other versions") {
  CHECK(must(parse_group_record_key(bytes_of("0000"
                                             "000167"
                                             "000174"
                                             "00000005"))) == GroupRecordKey(OffsetKey{"g", {"t", PartitionId(5)}}));
  CHECK_FALSE(must(parse_group_record_key(bytes_of("0003"
                                                   "000167")))
                  .has_value());
  CHECK_FALSE(must(parse_group_record_key(bytes_of("7fff"))).has_value());
  CHECK(code_of(parse_group_record_key(bytes_of("ffff"
                                                "000167"))) == Errc::corrupt);
}

TEST_CASE("group_record: committed offsets of older versions") {
  const CommittedOffset expected{Offset(42), LeaderEpoch(-1), "note", 256};
  const std::string note = "00046e6f7465";
  CHECK(must(parse_committed_offset(bytes_of("0000"
                                             "000000000000002a" +
                                             note + "0000000000000100"))) == expected);
  CHECK(must(parse_committed_offset(bytes_of("0001"
                                             "000000000000002a" +
                                             note +
                                             "0000000000000100"
                                             "0000000000000999"))) == expected);
  CHECK(must(parse_committed_offset(bytes_of("0002"
                                             "000000000000002a" +
                                             note + "0000000000000100"))) == expected);
  CHECK(code_of(parse_committed_offset(bytes_of("0004"
                                                "000000000000002a"))) == Errc::unsupported_version);
}

TEST_CASE("group_record: groups of older versions") {
  const std::string consumer = "0008636f6e73756d6572", range = "000572616e6765", leader = "00026d31";
  const std::string ids =
                        "0001630001"
                        "68",
                    bytes = std::string(kSubscription0) + kAssignment0;
  GroupMember member;
  member.id = "m1";
  member.client_id = "c";
  member.client_host = "h";
  member.session_timeout_ms = 256;
  member.topics = {"t"};
  member.assignment = {{"t", {PartitionId(0), PartitionId(1)}}};  // sorted
  GroupMetadata expected;
  expected.generation = 9;
  expected.protocol = "range";
  expected.leader = "m1";
  expected.members = {member};
  const std::string head = consumer + "00000009" + range + leader;
  CHECK(must(parse_group_metadata(bytes_of("0000" + head + "00000001" + leader + ids + "00000100" + bytes))) ==
        expected);
  CHECK(must(parse_group_metadata(bytes_of("0001" + head + "00000001" + leader + ids +
                                           "00000fff"
                                           "00000100" +
                                           bytes))) == expected);
  expected.state_timestamp_ms = 512;
  const std::string timed = head + "0000000000000200";
  CHECK(must(parse_group_metadata(bytes_of("0002" + timed + "00000001" + leader + ids +
                                           "00000fff"
                                           "00000100" +
                                           bytes))) == expected);
  CHECK(must(parse_group_metadata(bytes_of("0003" + timed + "00000001" + leader + "000178" + ids +
                                           "00000fff"
                                           "00000100" +
                                           bytes))) == expected);
  CHECK(code_of(parse_group_metadata(bytes_of("0004" + timed))) == Errc::unsupported_version);
}

TEST_CASE("group_record: what other clients subscribe with") {
  const auto parse = [](const std::string& protocol_type, const std::string& subscription,
                        const std::string& assignment) {
    return parse_group_metadata(bytes_of("0000" + protocol_type +
                                         "00000001"
                                         "ffff"
                                         "ffff"
                                         "00000001"
                                         "00016d"
                                         "0000"
                                         "0000"
                                         "00000100" +
                                         subscription + assignment));
  };
  const std::string consumer = "0008636f6e73756d6572", nothing = "00000000";
  // Version 3: owned partitions, generation and rack follow the user data, which is another assignor's.
  const std::string newer =
      "0000002a"
      "0003"
      "00000001"
      "000174"
      "00000004"
      "00000000"
      "00000001"
      "0001740000000100000000"
      "00000007"
      "00047261636b";
  const GroupMetadata group = must(parse(consumer, newer, nothing));
  CHECK(group.members.at(0).topics == std::vector<std::string>{"t"});
  CHECK(group.members.at(0).process.slot == -1);
  CHECK(group.members.at(0).assignment.empty());
  CHECK(must(parse(consumer, nothing, nothing)).members.at(0).topics.empty());
  CHECK(code_of(parse(consumer,
                      "00000002"
                      "ffff",
                      nothing)) == Errc::corrupt);
  CHECK(code_of(parse(consumer, nothing,
                      "00000001"
                      "00")) == Errc::corrupt);
  // Kafka Connect's workers have protocols of their own.
  CHECK(must(parse("0007636f6e6e656374",
                   "00000002"
                   "ffff",
                   "00000001"
                   "00"))
            .members.at(0)
            .id == "m");
}

TEST_CASE("group_record: what is cut or has more is malformed") {
  const std::string keys[] = {write_offset_key(some_offset_key()), write_group_key({"nightly"})};
  for (const auto& key : keys) {
    for (size_t size = 0; size < key.size(); ++size)
      CHECK(code_of(parse_group_record_key(key.substr(0, size))) == Errc::corrupt);
    CHECK(code_of(parse_group_record_key(key + "x")) == Errc::corrupt);
  }
  const std::string offset = write_committed_offset(some_offset()), group = write_group_metadata(some_group());
  for (size_t size = 0; size < offset.size(); ++size)
    CHECK(code_of(parse_committed_offset(offset.substr(0, size))) == Errc::corrupt);
  for (size_t size = 0; size < group.size(); ++size)
    CHECK(code_of(parse_group_metadata(group.substr(0, size))) == Errc::corrupt);
  CHECK(code_of(parse_committed_offset(offset + "x")) == Errc::corrupt);
  CHECK(code_of(parse_group_metadata(group + "x")) == Errc::corrupt);
}

TEST_CASE("group_record: impossible numbers are malformed, and cost nothing") {
  CHECK(code_of(parse_group_record_key(bytes_of("0001"
                                                "000167"
                                                "000174"
                                                "ffffffff"))) == Errc::corrupt);
  CHECK(code_of(parse_group_record_key(bytes_of("0001"
                                                "ffff"
                                                "000174"
                                                "00000000"))) == Errc::corrupt);
  CHECK(code_of(parse_committed_offset(bytes_of("0000"
                                                "ffffffffffffffff"
                                                "0000"
                                                "0000000000000000"))) == Errc::corrupt);
  const std::string head =
      "0000"
      "0008636f6e73756d6572"
      "00000001"
      "ffff"
      "ffff";
  CHECK(code_of(parse_group_metadata(bytes_of(head + "7fffffff"))) == Errc::corrupt);
  CHECK(code_of(parse_group_metadata(bytes_of(head + "ffffffff"))) == Errc::corrupt);
  const std::string member = head +
                             "00000001"
                             "00016d"
                             "0000"
                             "0000"
                             "00000100";
  CHECK(code_of(parse_group_metadata(bytes_of(member + "00000006"
                                                       "0000"
                                                       "7fffffff"
                                                       "00000000"))) == Errc::corrupt);
  CHECK(code_of(parse_group_metadata(bytes_of(member + "80000000"
                                                       "00000000"))) == Errc::corrupt);
  const std::string of_partition_below_0 =
      "00000011"
      "0000"
      "00000001"
      "000174"
      "00000001"
      "ffffffff";
  CHECK(code_of(parse_group_metadata(bytes_of(member + "00000000" + of_partition_below_0))) == Errc::corrupt);
}

TEST_CASE("group_record: any byte changed is malformed, another group, or of no effect") {
  const std::string bytes = write_group_metadata(some_group());
  SeededRandom random;
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(random.next());
    const auto parsed = parse_group_metadata(changed);
    if (parsed)
      CHECK(must(parse_group_metadata(write_group_metadata(*parsed))) == *parsed);
    else
      CHECK((parsed.error().code == Errc::corrupt || parsed.error().code == Errc::unsupported_version));
  }
}
