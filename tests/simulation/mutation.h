// Rules of the protocol that a test switches off, to see that the simulator finds what then goes wrong. Production code
// knows nothing of them: each is done to what it sees of the simulated world, or to a function that it calls (see
// mutation.cc).
#pragma once

#include <string_view>
#include <utility>

namespace pg::sim {

enum class Mutation {
  none,
  cut_to_high_watermark,  // KIP-101: a follower cuts its log at its high watermark, not where the logs part
  cut_by_last_epoch,      // KIP-279: it asks for the end of its last epoch only
  unclean_leads,          // KIP-966: who may lack what was acknowledged leads all the same
  no_fence,               // an election fences nobody
  no_second_look,         // a producer does not look whether its leader still led once the record was there
  no_epoch_compare,       // KIP-320: a reader goes on at another leader without comparing epochs
  join_at_once,           // who joins is in sync without having what the leader had by then
};

inline constexpr std::pair<Mutation, std::string_view> kMutations[] = {
    {Mutation::cut_to_high_watermark, "cut-to-high-watermark"},
    {Mutation::cut_by_last_epoch, "cut-by-last-epoch"},
    {Mutation::unclean_leads, "unclean-leads"},
    {Mutation::no_fence, "no-fence"},
    {Mutation::no_second_look, "no-second-look"},
    {Mutation::no_epoch_compare, "no-epoch-compare"},
    {Mutation::join_at_once, "join-at-once"},
};

// The one that is at work.
extern Mutation broken_rule;

}  // namespace pg::sim
