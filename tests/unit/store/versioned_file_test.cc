#include "core/store/versioned_file.h"

#include <algorithm>
#include <thread>

#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

VersionedFile file_in(TestEnv& env) { return {env.env(), env.root() + "/f.json"}; }

// "3: content", or "nothing".
std::string seen(const VersionedFile& file) {
  const auto stored = must(file.read());
  return stored ? std::to_string(stored->version) + ": " + stored->content : "nothing";
}

std::vector<std::string> names_in(TestEnv& env) {
  auto names = must(env.files.list(env.root()));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("versioned_file: versions follow one another, and three are kept") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    const VersionedFile reader = file_in(env);
    VersionedFile writer = file_in(env);
    CHECK(seen(reader) == "nothing");
    for (int64_t version = 0; version < 6; ++version) {
      CHECK(must(writer.compare_and_swap(version, "content " + std::to_string(version + 1))));
      CHECK(seen(reader) == std::to_string(version + 1) + ": content " + std::to_string(version + 1));
    }
    CHECK(names_in(env) == std::vector<std::string>{"f.json.v4", "f.json.v5", "f.json.v6"});
    CHECK(must(reader.read_previous(6)) == "content 5");
  }
}

TEST_CASE("versioned_file: of two who saw the same version, one wins") {
  TestEnv env;
  VersionedFile one = file_in(env), other = file_in(env);
  CHECK(must(one.compare_and_swap(0, "first")));
  CHECK_FALSE(must(other.compare_and_swap(0, "too late")));
  CHECK(seen(other) == "1: first");
  CHECK(must(other.compare_and_swap(1, "second")));
  CHECK_FALSE(must(one.compare_and_swap(1, "too late")));
  CHECK(seen(one) == "2: second");
  CHECK(names_in(env) == std::vector<std::string>{"f.json.v1", "f.json.v2"});
}

TEST_CASE("versioned_file: a version whose writer died before it was on the disk is put there by who reads it") {
  int uncertain = 0;
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    VersionedFile writer = file_in(env);
    must(writer.compare_and_swap(0, "first"));
    env.files.arm({.nth = n, .for_ever = true});
    const auto done = writer.compare_and_swap(1, "second");
    env.files.disarm();
    // Whether a reader believes what it finds without more ado must not depend on a sync that nobody has made.
    const bool is_there = exists(env.files, env.root() + "/f.json.v2");
    const bool is_certain = !is_there || must(env.files.info(env.root() + "/f.json.v2")).links == 1;
    if (done) CHECK(is_certain);
    env.files.arm({.kind = Call::sync_directory});
    CHECK(file_in(env).read().has_value() == is_certain);
    env.files.disarm();
    CHECK(env.files.fired() == (is_certain ? 0 : 1));
    uncertain += !is_certain;
    // What the dead leave behind goes with the next version.
    const int64_t version = must(file_in(env).read())->version;
    CHECK(must(writer.compare_and_swap(version, "next")));
    CHECK(names_in(env).size() == static_cast<size_t>(version + 1));
    if (done) break;
  }
  CHECK(uncertain > 0);
}

TEST_CASE("versioned_file: who was frozen while many versions went by changes nothing") {
  TestEnv env;
  VersionedFile frozen = file_in(env), busy = file_in(env);
  CHECK(must(busy.compare_and_swap(0, "1")));
  for (int64_t version = 1; version < 9; ++version)
    CHECK(must(busy.compare_and_swap(version, std::to_string(version + 1))));
  CHECK_FALSE(must(frozen.compare_and_swap(1, "from the past")));  // version 2 is gone long since: its name is free
  CHECK(seen(frozen) == "9: 9");
  CHECK(must(busy.compare_and_swap(9, "10")));
  CHECK(names_in(env) ==
        std::vector<std::string>{"f.json.v10", "f.json.v8", "f.json.v9"});  // the straggler was swept up
}

TEST_CASE("versioned_file: other names beside it mean nothing") {
  TestEnv env;
  for (const char* name :
       {"f.json", "f.json.v", "f.json.v3.tmp", "f.json.vx", "g.json.v9", "f.json.v-1", "f.json.abc.tmp"}) {
    overwrite(env.files, env.root() + "/" + name, "x");
  }
  VersionedFile file = file_in(env);
  CHECK(seen(file) == "nothing");
  CHECK(must(file.compare_and_swap(0, "1")));
  CHECK(seen(file) == "1: 1");
}

TEST_CASE("versioned_file: a folder that is not there has no version, and cannot get one") {
  TestEnv env;
  VersionedFile file(env.env(), env.root() + "/none/f.json");
  CHECK(seen(file) == "nothing");
  CHECK(code_of(file.compare_and_swap(0, "x")) == Errc::not_found);
}

TEST_CASE("versioned_file: a write that fails at any call leaves the old version or the new, whole") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    VersionedFile file = file_in(env);
    must(file.compare_and_swap(0, "old"));
    env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 1});
    const auto swapped = file.compare_and_swap(1, "new");
    env.files.disarm();
    const std::string now = seen(file);
    CHECK((now == "2: new" || now == "1: old"));
    if (swapped && *swapped) CHECK(now == "2: new");
    const int64_t version = must(file.read())->version;
    CHECK(must(file.compare_and_swap(version, "later")));
    if (env.files.fired() == 0) {
      CHECK(n > 6);
      break;
    }
  }
}

TEST_CASE("versioned_file: many writers count without losing one") {
  TestEnv env(Machine::disk);
  constexpr int kThreads = 4, kRounds = 10;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      VersionedFile file = file_in(env);
      for (int i = 0; i < kRounds;) {
        const auto stored = must(file.read());
        const std::string mine = std::to_string(t) + "." + std::to_string(i) + " ";
        // Who cannot tell whether it was first finds its own mark.
        if (stored && stored->content.find(mine) != std::string::npos) {
          ++i;
          continue;
        }
        if (must(file.compare_and_swap(stored ? stored->version : 0, (stored ? stored->content : "") + mine))) ++i;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string all = must(file_in(env).read())->content;
  CHECK(std::count(all.begin(), all.end(), ' ') == kThreads * kRounds);
}
