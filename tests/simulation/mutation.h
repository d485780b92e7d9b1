// Rules of the protocol that a test switches off, to see that the simulator finds what then goes wrong. Production code knows
// nothing of them: each is done to what it sees of the simulated world, or to a function that it calls (see mutation.cc).
#pragma once

#include <optional>
#include <string_view>
#include <utility>

namespace pg::sim {

enum class Mutation { none };

inline constexpr std::pair<Mutation, std::string_view> kMutations[] = {
    {Mutation::none, "none"},
};

}  // namespace pg::sim
