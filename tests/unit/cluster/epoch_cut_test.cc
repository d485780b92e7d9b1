#include "core/cluster/epoch_cut.h"

#include "tests/support/printing.h"

using namespace pg;

namespace {

// A log of one letter for each record, written in the epoch that the letter stands for: "aab" has two records of epoch
// 0 and one of epoch 1. '.' opens the epoch of the letter after it, without a record: "aa.b" ends with an empty
// epoch 1.
EpochLog log_of(std::string_view text) {
  EpochLog log{{}, Offset(0)};
  bool record = true;
  for (const char letter : text) {
    if (letter == '.') {
      record = false;
      continue;
    }
    const LeaderEpoch epoch(letter - 'a');
    if (log.epochs.empty() || log.epochs.back().epoch < epoch) open_epoch(log.epochs, epoch, log.log_end);
    if (record) log.log_end = log.log_end + 1;
    record = true;
  }
  return log;
}

// The same without the epochs that have no record.
std::string records_of(std::string_view text) {
  std::string records;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.')
      ++i;
    else
      records += text[i];
  }
  return records;
}

struct Row {
  const char* what;
  std::string_view mine, leaders;
  int64_t end;
};

// Broker A is the one that rejoins, broker B leads now.
const Row kRows[] = {
    {"the same log", "aaa", "aaa", 3},
    {"empty logs", "", "", 0},
    {"an empty follower", "", "aab", 0},
    {"a follower that is behind", "aa", "aaabb", 2},
    {"a follower that is longer, in the same epoch", "aaaaa", "aaa", 3},

    // KIP-101, scenario 1: A was cut to its high watermark when it restarted, and lost what was committed. By epoch
    // nothing that the leader has goes.
    {"KIP-101: a restarted follower keeps what the leader of the same epoch has", "aa", "aa", 2},
    // KIP-101, scenario 2: the machine stopped; A has one record less than B had, but came first and led, and wrote
    // another one at the same offset. B rejoins with a record of the old epoch there.
    {"KIP-101: other records at the same offset", "aaa", "aab", 2},
    {"KIP-101: other records at the same offsets, the follower longer", "aaaaaa", "aabbb", 2},
    {"KIP-101: other records at the same offsets, the leader longer", "aaa", "aabbbbb", 2},

    // KIP-279, scenario 1: two elections while A was away, or one that A never heard of. The leader does not know A's
    // last epoch, and its largest epoch below is one that A has in part only.
    {"KIP-279: a leader that does not know the follower's epoch", "aabb", "aaac", 2},
    {"KIP-279: the largest smaller epoch of the leader is not the follower's", "aadd", "aabbee", 2},
    {"KIP-279: the follower lacks what the leader has between", "aaddd", "aabbcceee", 2},
    {"KIP-279: the leader lacks what the follower has between", "aabbcc", "aadd", 2},
    {"KIP-279: the leader has fewer records of the common epoch", "aabbbbcc", "aabbdd", 4},
    {"KIP-279: the follower has fewer records of the common epoch", "aabbcc", "aabbbbdd", 4},
    {"double failover: A led twice, B between", "aabbdd", "aabbccc", 4},
    {"double failover: B led twice, A between", "aacc", "aabbb", 2},
    {"double failover: neither knows the other's last epochs", "aabbdddffff", "aabbbceeegg", 4},

    {"an empty epoch at the leader's end", "aaaa", "aa.b", 2},
    {"an empty epoch at the follower's end", "aa.b", "aaaa", 2},
    {"both have an empty epoch", "aa.b", "aa.b", 2},
    {"an empty epoch of the follower's that has records at the leader", "aa.b", "aabbb", 2},
    {"an empty epoch of the leader's that has records at the follower", "aabbb", "aa.b", 2},
    {"different empty epochs at the end", "aaa.c", "aaa.d", 3},
    {"an empty epoch at the start of both", ".aa", ".aaa", 1},
    {"the follower's empty first epoch", ".b", "aabb", 0},

    {"no epoch in common", "aaa", "bbb", 0},
    {"no epoch in common, several of each", "aacc", "bbdd", 0},
    {"the leader's log is empty", "aaa", "", 0},
};

}  // namespace

TEST_CASE("epoch_cut: logs are alike up to the end of the largest epoch that both have") {
  for (const Row& row : kRows) {
    CAPTURE(std::string(row.what));
    CHECK(common_end(log_of(row.mine), log_of(row.leaders), Offset(0)) == Offset(row.end));
  }
}

TEST_CASE("epoch_cut: it is the same whoever of the two leads") {
  for (const Row& row : kRows) {
    CAPTURE(std::string(row.what));
    CHECK(common_end(log_of(row.leaders), log_of(row.mine), Offset(0)) == Offset(row.end));
  }
}

TEST_CASE("epoch_cut: what the follower keeps is what the leader has") {
  for (const Row& row : kRows) {
    CAPTURE(std::string(row.what));
    const auto end = static_cast<size_t>(common_end(log_of(row.mine), log_of(row.leaders), Offset(0)).value);
    CHECK(records_of(row.mine).substr(0, end) == records_of(row.leaders).substr(0, end));
  }
}

TEST_CASE("epoch_cut: without an epoch in common, nothing above where one of them begins stays") {
  EpochLog mine{{{LeaderEpoch(0), Offset(100)}}, Offset(200)};
  const EpochLog leaders{{{LeaderEpoch(1), Offset(150)}}, Offset(300)};
  CHECK(common_end(mine, leaders, Offset(150)) == Offset(150));
  mine.log_end = Offset(120);
  CHECK(common_end(mine, leaders, Offset(150)) == Offset(120));
  mine.epochs.clear();  // a lost checkpoint
  CHECK(common_end(mine, leaders, Offset(150)) == Offset(120));
}

TEST_CASE("epoch_cut: an epoch is common wherever it stands in the two") {
  const auto common = [](std::string_view mine, std::string_view leaders) {
    return have_common_epoch(log_of(mine).epochs, log_of(leaders).epochs);
  };
  CHECK(common("aab", "bbc"));
  CHECK(common("c", "abc"));
  CHECK_FALSE(common("ab", "cc"));
  CHECK_FALSE(common("", "a"));
  CHECK_FALSE(common("ac", "bd"));
}

// A follower whose checkpoint names an epoch that begins behind its log's end, as a cut that was interrupted leaves it.
TEST_CASE("epoch_cut: an epoch that begins behind the log's end ends there") {
  const EpochLog mine{{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(1), Offset(8)}}, Offset(5)};
  CHECK(common_end(mine, {{{LeaderEpoch(0), Offset(0)}}, Offset(20)}, Offset(0)) == Offset(5));
  CHECK(common_end(mine, {{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(1), Offset(8)}}, Offset(20)}, Offset(0)) ==
        Offset(5));
}
