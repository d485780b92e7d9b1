#include "core/format/group_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/field_writer.h"

namespace pg {
namespace {

constexpr int16_t kOffsetKeyVersion = 1;
constexpr int16_t kGroupKeyVersion = 2;
constexpr int16_t kOffsetVersion = 3;
constexpr int16_t kMetadataVersion = 3;
constexpr int16_t kProtocolVersion = 1;
constexpr const char* kProtocolType = "consumer";
// Not 0: the user data of Kafka's sticky assignor begins with the number of topics, whose first byte is 0.
constexpr int8_t kProcessVersion = 1;
constexpr size_t kProcessBytes = 25;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::corrupt, fmt::format("malformed {} in __consumer_offsets", what));
}

// The version that a value begins with.
Result<int16_t> get_version(FieldReader& in, int16_t newest, const char* what) {
  const auto version = in.get<int16_t>();
  if (in.failed() || version < 0) return malformed(what);
  if (version <= newest) return version;
  return fail(Errc::unsupported_version,
              fmt::format("a {} in __consumer_offsets was written by a newer version", what));
}

// Calls get_element as often as the int32 here says. A count that is too large meets the end of the input: each element
// has some bytes.
template <class GetElement>
void get_list(FieldReader& in, GetElement get_element) {
  const auto count = in.get<int32_t>();
  if (count < 0) in.fail();
  for (int32_t i = 0; i < count && !in.failed(); ++i) get_element();
}

std::optional<std::string_view> null_if_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string write_process(const MemberProcess& process) {
  FieldWriter out;
  out.add(kProcessVersion).add(process.slot).add(process.pid).add(process.pid_namespace).add(process.start_time);
  return out.take();
}

MemberProcess parse_process(std::string_view bytes) {
  FieldReader in(bytes);
  if (bytes.size() != kProcessBytes || in.get<int8_t>() != kProcessVersion) return {};
  MemberProcess process;
  process.slot = in.get<int32_t>();
  process.pid = in.get<int32_t>();
  process.pid_namespace = in.get<uint64_t>();
  process.start_time = in.get<uint64_t>();
  return process.slot < 0 ? MemberProcess() : process;
}

std::string write_subscription(const GroupMember& member) {
  FieldWriter out;
  out.add(kProtocolVersion).add(static_cast<int32_t>(member.topics.size()));
  for (const auto& topic : member.topics) out.add_string(topic);
  const std::string process = write_process(member.process);
  out.add_nullable_sized_bytes(member.process.slot < 0 ? std::nullopt : std::optional<std::string_view>(process));
  return out.add(int32_t{0}).take();  // partitions owned before: the generation before tells
}

std::string write_assignment(const Assignment& assignment) {
  FieldWriter out;
  out.add(kProtocolVersion).add(static_cast<int32_t>(assignment.size()));
  for (const auto& [topic, partitions] : assignment) {
    out.add_string(topic).add(static_cast<int32_t>(partitions.size()));
    for (const PartitionId partition : partitions) out.add(partition.value);
  }
  return out.add_nullable_sized_bytes(std::nullopt).take();
}

// Kafka's rule for both: newer versions only append fields. And a member that is not assigned anything yet may have no
// bytes at all.
bool is_readable(FieldReader& in) { return !in.at_end() && in.get<int16_t>() >= 0; }

bool parse_subscription(std::string_view bytes, GroupMember& member) {
  if (bytes.empty()) return true;
  FieldReader in(bytes);
  if (!is_readable(in)) return false;
  get_list(in, [&] { member.topics.emplace_back(in.get_string()); });
  member.process = parse_process(in.get_nullable_sized_bytes().value_or(""));
  return !in.failed();
}

bool parse_assignment(std::string_view bytes, Assignment& assignment) {
  if (bytes.empty()) return true;
  FieldReader in(bytes);
  if (!is_readable(in)) return false;
  get_list(in, [&] {
    auto& partitions = assignment[std::string(in.get_string())];
    get_list(in, [&] {
      partitions.emplace_back(in.get<int32_t>());
      if (partitions.back().value < 0) in.fail();
    });
  });
  for (auto& [topic, partitions] : assignment) {
    std::sort(partitions.begin(), partitions.end());
    partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
  }
  return !in.failed();
}

void add_member(FieldWriter& out, const GroupMember& member) {
  out.add_string(member.id)
      .add_nullable_string(std::nullopt)
      .add_string(member.client_id)
      .add_string(member.client_host);
  out.add(member.session_timeout_ms).add(member.session_timeout_ms);  // members have as long to join again
  out.add_sized_bytes(write_subscription(member)).add_sized_bytes(write_assignment(member.assignment));
}

GroupMember get_member(FieldReader& in, int16_t version, bool is_consumer) {
  GroupMember member;
  member.id = in.get_string();
  if (version >= 3) in.get_nullable_string();
  member.client_id = in.get_string();
  member.client_host = in.get_string();
  if (version >= 1) in.get<int32_t>();
  member.session_timeout_ms = in.get<int32_t>();
  const auto subscription = in.get_sized_bytes(), assignment = in.get_sized_bytes();
  if (!is_consumer) return member;
  if (!parse_subscription(subscription, member) || !parse_assignment(assignment, member.assignment)) in.fail();
  return member;
}

}  // namespace

std::string write_offset_key(const OffsetKey& key) {
  FieldWriter out;
  out.add(kOffsetKeyVersion).add_string(key.group).add_string(key.partition.topic).add(key.partition.partition.value);
  return out.take();
}

std::string write_group_key(const GroupKey& key) {
  return FieldWriter().add(kGroupKeyVersion).add_string(key.group).take();
}

std::string write_committed_offset(const CommittedOffset& committed) {
  FieldWriter out;
  out.add(kOffsetVersion).add(committed.offset.value).add(committed.leader_epoch.value);
  return out.add_string(committed.metadata).add(committed.commit_timestamp_ms).take();
}

std::string write_group_metadata(const GroupMetadata& group) {
  FieldWriter out;
  out.add(kMetadataVersion).add_string(kProtocolType).add(group.generation);
  out.add_nullable_string(null_if_empty(group.protocol)).add_nullable_string(null_if_empty(group.leader));
  out.add(group.state_timestamp_ms).add(static_cast<int32_t>(group.members.size()));
  for (const auto& member : group.members) add_member(out, member);
  return out.take();
}

Result<std::optional<GroupRecordKey>> parse_group_record_key(std::string_view bytes) {
  FieldReader in(bytes);
  const auto version = in.get<int16_t>();
  if (in.failed() || version < 0) return malformed("key");
  if (version > kGroupKeyVersion) return std::nullopt;
  const std::string group(in.get_string());
  GroupRecordKey key = GroupKey{group};
  if (version <= kOffsetKeyVersion) {
    const std::string topic(in.get_string());
    const PartitionId partition(in.get<int32_t>());
    if (partition.value < 0) in.fail();
    key = OffsetKey{group, {topic, partition}};
  }
  if (in.failed() || !in.at_end()) return malformed("key");
  return key;
}

Result<CommittedOffset> parse_committed_offset(std::string_view bytes) {
  constexpr const char* kWhat = "committed offset";
  FieldReader in(bytes);
  PG_ASSIGN(const int16_t version, get_version(in, kOffsetVersion, kWhat));
  CommittedOffset committed;
  committed.offset = Offset(in.get<int64_t>());
  if (version >= 3) committed.leader_epoch = LeaderEpoch(in.get<int32_t>());
  committed.metadata = in.get_string();
  committed.commit_timestamp_ms = in.get<int64_t>();
  if (version == 1) in.get<int64_t>();  // when it was to expire
  if (in.failed() || !in.at_end() || committed.offset.value < 0) return malformed(kWhat);
  return committed;
}

Result<GroupMetadata> parse_group_metadata(std::string_view bytes) {
  constexpr const char* kWhat = "group";
  FieldReader in(bytes);
  PG_ASSIGN(const int16_t version, get_version(in, kMetadataVersion, kWhat));
  const bool is_consumer = in.get_string() == kProtocolType;
  GroupMetadata group;
  group.generation = in.get<int32_t>();
  group.protocol = in.get_nullable_string().value_or("");
  group.leader = in.get_nullable_string().value_or("");
  if (version >= 2) group.state_timestamp_ms = in.get<int64_t>();
  get_list(in, [&] { group.members.push_back(get_member(in, version, is_consumer)); });
  if (in.failed() || !in.at_end()) return malformed(kWhat);
  return group;
}

}  // namespace pg
