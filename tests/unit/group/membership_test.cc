#include "core/group/membership.h"

#include "core/base/text.h"
#include "core/format/path_names.h"
#include "core/local/group_admin.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

// A group whose members look only when told, on a machine whose clock moves only when told.
struct TestGroup {
  explicit TestGroup(int32_t partitions = 4) { t.create("t", partitions); }

  std::unique_ptr<Membership> join(MembershipOptions options = {}) {
    options.group = "g";
    options.topics = {"t"};
    options.looks_by_itself = false;
    return must(Membership::join(*t.home, std::move(options), t.env.soon()));
  }
  // Members look at each other for a while.
  void pass(Duration time, const std::vector<Membership*>& members) {
    for (Duration passed{}; passed < time; passed += kGroupLookInterval) {
      t.env.manual_clock.advance(kGroupLookInterval);
      for (Membership* member : members) must(member->look());
    }
  }

  TestHome t;
};

size_t assigned(const Membership& member) {
  const auto view = must(member.view());
  return view.assignment.contains("t") ? view.assignment.at("t").size() : 0;
}

const TopicPartition kFirst{"t", PartitionId(0)};

CommittedOffsets at(int64_t offset) {
  return {{{kFirst, CommittedOffset{Offset(offset), LeaderEpoch(0), uuid_text(Uuid{}), 0}}}};
}

}  // namespace

TEST_CASE("membership: partitions are shared by those who are there") {
  TestGroup g;
  const auto one = g.join();
  CHECK(assigned(*one) == 4);
  const auto two = g.join();
  CHECK(assigned(*two) == 2);
  CHECK(assigned(*one) == 4);  // it has not looked yet
  must(one->look());
  CHECK(assigned(*one) == 2);
  must(two->leave(g.t.env.soon()));
  must(one->look());
  CHECK(assigned(*one) == 4);
}

TEST_CASE("membership: a death is seen at the next look, by one of them or by all") {
  TestGroup g;
  const auto one = g.join(), two = g.join();
  auto three = g.join();
  must(one->look());
  must(two->look());
  const auto generation = [&] { return must(describe_group(*g.t.home, "g", {}, g.t.env.soon())).generation; };
  const int32_t before = generation();
  three.reset();
  must(one->look());
  must(two->look());
  CHECK(assigned(*one) == 2);
  CHECK(assigned(*two) == 2);
  CHECK(generation() == before + 1);
}

TEST_CASE("membership: who joins takes the dead out, and has all partitions at once") {
  TestGroup g;
  auto one = g.join(), two = g.join();
  one.reset();
  two.reset();
  CHECK(assigned(*g.join()) == 4);
}

TEST_CASE("membership: who hangs for its session timeout is taken out, and can commit nothing any more") {
  TestGroup g;
  const auto one = g.join();
  const auto hung = g.join({.session_timeout = 3s});
  must(hung->commit(at(1), g.t.env.soon()));
  g.pass(2800ms, {one.get()});
  CHECK(assigned(*one) == 2);
  must(hung->look());  // it moved in time
  g.pass(2800ms, {one.get()});
  CHECK(assigned(*one) == 2);
  g.pass(600ms, {one.get()});
  CHECK(assigned(*one) == 4);
  CHECK(code_of(hung->commit(at(2), g.t.env.soon())) == Errc::fenced);
  CHECK(must(one->committed(g.t.env.soon())).by_partition.at(kFirst).offset == Offset(1));
  must(hung->look());
  CHECK_FALSE(must(hung->view()).is_member);
  must(hung->rejoin(g.t.env.soon()));
  CHECK(assigned(*hung) == 2);
  must(hung->commit(at(3), g.t.env.soon()));
}

TEST_CASE("membership: who was stopped itself takes nobody for hung") {
  TestGroup g;
  const auto one = g.join({.session_timeout = 3s}), two = g.join({.session_timeout = 3s});
  g.pass(1s, {one.get(), two.get()});
  g.t.env.manual_clock.advance(1h);  // the machine slept
  must(one->look());
  must(two->look());
  g.pass(10s, {one.get(), two.get()});
  CHECK(assigned(*one) == 2);
  CHECK(assigned(*two) == 2);
}

TEST_CASE("membership: a partition has one owner at a time") {
  TestGroup g;
  auto one = g.join();
  const auto two = g.join();
  CHECK(must(one->try_own(kFirst)));
  CHECK_FALSE(must(two->try_own(kFirst)));
  one->disown(kFirst);
  CHECK(must(two->try_own(kFirst)));
  CHECK_FALSE(must(one->try_own(kFirst)));
  two->disown(kFirst);
  CHECK(must(one->try_own(kFirst)));
  one.reset();  // died
  CHECK(must(two->try_own(kFirst)));
}

TEST_CASE("membership: a member that hangs is killed before anything else") {
  TestGroup g;
  std::vector<int32_t> killed;
  Env env = g.t.env.env();
  env.process_identity = [] { return ProcessIdentity{{17, 5}, 99}; };
  const std::string slots = names::group_members_lock(g.t.path, "g");
  env.kill_lock_holder = [&](const ProcessIdentity& process, const FileInfo& lock_file, uint32_t byte) {
    killed.push_back(process.pid);
    return process.start_time == 99 && lock_file.inode == must(g.t.env.env().files.info(slots)).inode && byte == 1;
  };
  const auto home = must(Home::open(env, g.t.path));
  const MembershipOptions options{.group = "g", .topics = {"t"}, .session_timeout = 3s, .looks_by_itself = false};
  const auto one = must(Membership::join(*home, options, g.t.env.soon()));
  const auto hung = must(Membership::join(*home, options, g.t.env.soon()));
  g.pass(4s, {one.get()});
  CHECK(killed == std::vector<int32_t>{17});
  CHECK(assigned(*one) == 4);
  CHECK(g.t.env.notices().find("killed") != std::string::npos);
}

TEST_CASE("membership: what was committed missing is committed once") {
  TestGroup g;
  const auto one = g.join(), two = g.join();
  must(one->commit_missing(at(5), g.t.env.soon()));
  must(two->commit_missing(at(9), g.t.env.soon()));
  CHECK(must(two->committed(g.t.env.soon())).by_partition.at(kFirst).offset == Offset(5));
}

TEST_CASE("membership: its own thread sees a death too") {
  TestHome t(Machine::disk);
  t.create("t", 2);
  const MembershipOptions options{.group = "g", .topics = {"t"}};
  const auto one = must(Membership::join(*t.home, options, t.env.soon()));
  auto two = must(Membership::join(*t.home, options, t.env.soon()));
  while (assigned(*one) == 2) std::this_thread::yield();
  CHECK(assigned(*two) == 1);
  two.reset();
  while (assigned(*one) == 1) std::this_thread::yield();
  CHECK(assigned(*one) == 2);
}

TEST_CASE("membership: errors") {
  TestGroup g;
  const auto code = [&](MembershipOptions options) {
    options.looks_by_itself = false;
    return code_of(Membership::join(*g.t.home, std::move(options), g.t.env.soon()));
  };
  CHECK(code({.group = "", .topics = {"t"}}) == Errc::invalid_argument);
  CHECK(code({.group = "../x", .topics = {"t"}}) == Errc::invalid_argument);
  CHECK(code({.group = "g", .topics = {"nope"}}) == Errc::not_found);
  const auto one = g.join({.assignor = AssignorKind::range});
  CHECK(code({.group = "g", .topics = {"t"}, .assignor = AssignorKind::sticky}) == Errc::conflict);
}
