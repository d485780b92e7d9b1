#include "core/group/group_plan.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

GroupMember member(const std::string& id, int32_t slot, std::vector<std::string> topics = {"t"}) {
  GroupMember made;
  made.id = id;
  made.topics = std::move(topics);
  made.process.slot = slot;
  return made;
}

// The group after `change`; fails if nothing changes.
GroupMetadata after(const std::optional<GroupMetadata>& group, const GroupChange& change,
                    const PartitionCounts& counts) {
  const auto next = must(next_generation(group, change, counts, 1000));
  REQUIRE(next);
  return *next;
}

std::string shown(const GroupMetadata& group) {
  std::string text;
  for (const auto& each : group.members) {
    text += each.id + ":";
    for (const auto& [topic, partitions] : each.assignment) {
      for (const auto partition : partitions) text += " " + topic + std::to_string(partition.value);
    }
    text += "; ";
  }
  return text;
}

}  // namespace

TEST_CASE("group_plan: members come and go, and each change is a generation") {
  const PartitionCounts counts = {{"t", 4}};
  const auto one = after({}, {.joining = member("a", 0)}, counts);
  CHECK(one.generation == 1);
  CHECK(one.protocol == "sticky");
  CHECK(shown(one) == "a: t0 t1 t2 t3; ");
  const auto two = after(one, {.joining = member("b", 1)}, counts);
  CHECK(two.generation == 2);
  CHECK(two.members[0].assignment.at("t").size() == 2);
  CHECK(two.members[1].assignment.at("t").size() == 2);
  const auto left = after(two, {.gone = {"a"}}, counts);
  CHECK(left.generation == 3);
  CHECK(shown(left) == "b: t0 t1 t2 t3; ");
  const auto empty = after(left, {.gone = {"b"}}, counts);
  CHECK(empty.generation == 4);
  CHECK(empty.members.empty());
  CHECK(empty.protocol.empty());
}

TEST_CASE("group_plan: nothing changes where every partition has its owner") {
  const PartitionCounts counts = {{"t", 2}};
  const auto group = after({}, {.joining = member("a", 0)}, counts);
  CHECK_FALSE(must(next_generation(group, {}, counts, 2000)));
  CHECK_FALSE(must(next_generation(group, {.gone = {"stranger"}}, counts, 2000)));
}

TEST_CASE("group_plan: new partitions and new topics find an owner, deleted ones have none") {
  const auto group = after({}, {.joining = member("a", 0, {"t", "u"})}, {{"t", 1}});
  CHECK(shown(group) == "a: t0; ");
  const auto more = after(group, {}, {{"t", 2}, {"u", 1}});
  CHECK(shown(more) == "a: t0 t1 u0; ");
  CHECK(shown(after(more, {}, {{"u", 1}})) == "a: u0; ");
}

TEST_CASE("group_plan: who joins in the slot of a member takes its place") {
  const PartitionCounts counts = {{"t", 2}};
  const auto two = after(after({}, {.joining = member("a", 0)}, counts), {.joining = member("b", 1)}, counts);
  const auto again = after(two, {.joining = member("c", 0)}, counts);
  REQUIRE(again.members.size() == 2);
  CHECK(again.members[0].id == "b");
  CHECK(again.members[1].id == "c");
}

TEST_CASE("group_plan: one assignor at a time; an empty group takes any") {
  const PartitionCounts counts = {{"t", 2}};
  const auto group = after({}, {.joining = member("a", 0), .assignor = AssignorKind::range}, counts);
  CHECK(group.protocol == "range");
  const auto refused = next_generation(group, {.joining = member("b", 1), .assignor = AssignorKind::sticky}, counts, 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::conflict);
  CHECK(after(group, {.joining = member("b", 1)}, counts).protocol == "range");
  const auto empty = after(group, {.gone = {"a"}}, counts);
  CHECK(after(empty, {.joining = member("b", 1), .assignor = AssignorKind::sticky}, counts).protocol == "sticky");
}
