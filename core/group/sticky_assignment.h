// The sticky assignor: balance first, then few moves.
//
//   1. Everybody keeps what it owns and still reads. What two claim, nobody keeps: one of them is out of date, and
//      nothing here tells which.
//   2. What nobody has goes to whoever reads the topic and has least.
//   3. As long as somebody can have two less than another: a partition goes from the one to the other, if need be by
//   way
//      of members between them that pass on one of their own. When there is no such chain any more, no assignment is
//      more even (Harvey, Ladner, Lovász, Tamir: Semi-matchings for bipartite graphs and load balancing, 2003).
//   4. What moved although balance can do without it goes back: by itself, or in exchange for one other.
//
// If all members read the same topics, 3 takes from each only what it has too many of, and 4 finds nothing to do.
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

  struct TopicState {
    std::string name;
    std::vector<Member> readers;
    std::vector<Member> owners;   // by partition: who had it
    std::vector<Member> holders;  // by partition: who gets it
  };
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
