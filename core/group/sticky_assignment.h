// The sticky assignor: balance first, then few moves.
//
//   1. Each member keeps the partitions that it owns and still reads. A partition that two members claim is taken from
//      both: one of them is out of date, and nothing here tells which.
//   2. A partition without an owner goes to the member that reads the topic and has the fewest partitions.
//   3. While one member has at least two partitions less than another, a partition goes from the latter to the former,
//      if need be through members between them that each pass on one of their own. When there is no such chain any
//      more, no assignment is more even (Harvey, Ladner, Lovász, Tamir: Semi-matchings for bipartite graphs and load
//      balancing, 2003).
//   4. A partition whose move the balance does not need goes back, alone or in exchange for one other.
//
// If all members read the same topics, step 3 takes from each only its surplus, and step 4 finds nothing to do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/group/assignor.h"

namespace pg {

class StickyAssignment {
 public:
  // Borrows both. The subscribers are sorted by id.
  StickyAssignment(const std::vector<Subscriber>& subscribers, const std::map<std::string, int32_t>& partition_counts);

  // One for each subscriber.
  std::vector<Assignment> make();

 private:
  using Topic = size_t;   // by name
  using Member = size_t;  // by id
  static constexpr size_t kNobody = SIZE_MAX;

  // A topic while partitions move.
  struct TopicState {
    std::string name;
    std::vector<Member> readers;
    std::vector<Member> owners;   // by partition: the member that had it
    std::vector<Member> holders;  // by partition: the member that gets it
  };
  // A member while partitions move.
  struct MemberState {
    std::vector<Topic> topics;
    std::map<Topic, std::set<int32_t>> held;  // without empty sets
    size_t count = 0;
    bool settled = false;  // cannot be part of a chain any more
  };
  // How a search came to a member: `from` has a partition of `topic` to pass on.
  struct Step {
    Member from = kNobody;
    Topic topic = 0;
  };

  void keep_owned();
  void assign_free();
  void balance();
  void give_back();

  std::vector<Step> reach(Member start, Member& least) const;
  bool return_one(Topic topic, int32_t partition);
  std::optional<std::pair<Topic, int32_t>> find_exchange(Member owner, Member holder) const;
  int32_t choose(Topic topic, Member from, Member to) const;
  void move(Topic topic, int32_t partition, Member to);
  bool reads(Member member, Topic topic) const;

  const std::vector<Subscriber>& subscribers_;
  std::vector<TopicState> topics_;
  std::vector<MemberState> members_;
};

}  // namespace pg
