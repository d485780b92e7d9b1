#include "core/store/cluster_state.h"

#include "core/format/path_names.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

std::unique_ptr<ClusterState> open(TestEnv& env) { return must(ClusterState::open(env.env(), env.root())); }

std::string path_of(TestEnv& env) { return names::cluster_state(env.root()); }

}  // namespace

TEST_CASE("cluster_state: all who open it share one page") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    const auto one = open(env), other = open(env);
    one->broker(BrokerId(3)).heartbeat = 5;
    CHECK(other->broker(BrokerId(3)).heartbeat == 5);
    CHECK(other->broker(BrokerId(2)).heartbeat == 0);
    CHECK(other->broker(BrokerId(63)).disk == static_cast<uint32_t>(DiskState::unknown));
    CHECK_FALSE(one->is_stale());
    CHECK(size_of(env.files, path_of(env)) == ClusterStatePage::kBytes);
  }
}

TEST_CASE("cluster_state: changed metadata is announced to those who wait") {
  TestEnv env;
  const auto one = open(env), other = open(env);
  const WakeWord word = other->metadata_word();
  const int64_t wakes = env.manual_clock.wakes();
  one->announce_metadata();
  CHECK(word.word->load() != word.seen);
  CHECK(env.manual_clock.wakes() == wakes + 1);
}

TEST_CASE("cluster_state: one that was deleted or replaced is stale, and the next one is new") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    const auto old = open(env);
    old->broker(BrokerId(1)).heartbeat = 5;
    must(env.files.unlink(path_of(env)));
    CHECK(old->is_stale());
    const auto made = open(env);
    CHECK(made->broker(BrokerId(1)).heartbeat == 0);
    CHECK_FALSE(made->is_stale());
  }
}

TEST_CASE("cluster_state: what another boot left, or another program, or cp, is made anew") {
  const std::pair<const char*, void (*)(TestEnv&)> spoil[] = {
      {"another boot", [](TestEnv& env) { env.reboot(); }},
      {"a short file", [](TestEnv& env) { overwrite(env.files, path_of(env), "short"); }},
      {"another magic", [](TestEnv& env) { flip_bits(env.files, path_of(env), 0); }},
      {"another version", [](TestEnv& env) { flip_bits(env.files, path_of(env), 8); }},
      {"a copy",
       [](TestEnv& env) {
         copy_tree(env.files, path_of(env), path_of(env) + "-copy");
         must(env.files.rename(path_of(env) + "-copy", path_of(env)));
       }},
  };
  for (const auto& [what, act] : spoil) {
    CAPTURE(std::string(what));
    TestEnv env;
    open(env)->broker(BrokerId(1)).heartbeat = 5;
    act(env);
    CHECK(open(env)->broker(BrokerId(1)).heartbeat == 0);
    CHECK(open(env)->page().magic == ClusterStatePage::kMagic);
  }
}

TEST_CASE("cluster_state: on a full disk no half file is left, and the next attempt works") {
  for (const Call call : {Call::open, Call::write, Call::rename}) {
    TestEnv env;
    env.files.arm({.kind = call, .nth = call == Call::open ? 2 : 1, .sys_errno = ENOSPC, .prefix_bytes = 100});
    CHECK(code_of(ClusterState::open(env.env(), env.root())) == Errc::no_space);
    CHECK(env.files.fired() == 1);
    env.files.disarm();
    CHECK(must(env.files.list(env.root())).empty());
    open(env);
  }
}
