#include "core/store/home_guard.h"

#include <unistd.h>

#include "core/format/path_names.h"
#include "core/store/home.h"
#include "core/store/home_notes.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

// A machine whose mounts are what the test says.
struct Fixture {
  explicit Fixture(Machine machine = Machine::memory) : env(machine), path(env.root() + "/home") {}

  Env with_mounts() {
    Env e = env.env();
    e.mounts.notes = env.root() + "/notes";
    e.mounts.open_notes = [this] {
      return exists(env.files, env.root() + "/notes") || env.files.make_directory(env.root() + "/notes").has_value();
    };
    e.mounts.unmounted = [this](const std::string& at) {
      return at.starts_with(unmounted + "/") ? unmounted : std::string();
    };
    e.mounts.identify = [this](const std::string& at) -> std::optional<DirectoryIdentity> {
      const auto info = env.files.info(at);
      if (!info || !info->is_directory) return std::nullopt;
      return DirectoryIdentity{at.starts_with(mounted_at) ? device : 1, info->inode, 0};
    };
    return e;
  }
  Result<std::unique_ptr<Home>> open(const IfNoHome& if_none = {}) { return Home::open(with_mounts(), path, if_none); }
  void make() { must(must(open())->create_topic("t", 1, {}, env.soon())); }
  Error refusal(const IfNoHome& if_none = {}) { return error_of(open(if_none)); }

  TestEnv env;
  std::string path;
  std::string unmounted = "/nowhere", mounted_at = "/nowhere";
  uint64_t device = 1;
};

}  // namespace

// The caller had looked for its metadata before.
TEST_CASE("home_guard: a home with topics that another process has just made has not lost its metadata") {
  Fixture t;
  t.make();
  CHECK_FALSE(is_metadata_lost(t.with_mounts(), t.path));
  must(may_make_home(t.with_mounts(), t.path, {}));
}

TEST_CASE("home_guard: nothing is made before the first call that stores something") {
  Fixture t;
  const auto home = must(t.open());
  CHECK_FALSE(home->is_made());
  CHECK(must(home->list_topics()).empty());
  CHECK(code_of(home->describe_topic("t")) == Errc::not_found);
  CHECK_FALSE(home->create_topic("t", 1, {{"no.such", "config"}}, t.env.soon()).has_value());
  CHECK(code_of(home->create_topic("t", 1, {}, t.env.soon(), 2)) == Errc::invalid_argument);
  CHECK_FALSE(exists(t.env.files, t.path));
  must(home->create_topic("t", 1, {}, t.env.soon()));
  CHECK(home->is_made());
  CHECK(must(home->list_topics()) == std::vector<std::string>{"t"});
}

TEST_CASE("home_guard: a home that another process makes meanwhile is seen") {
  Fixture t;
  const auto early = must(t.open());
  t.make();
  CHECK(must(early->list_topics()) == std::vector<std::string>{"t"});
  CHECK(must(early->describe_topic("t")).partitions.size() == 1);
  must(early->create_topic("u", 1, {}, t.env.soon()));
  CHECK_FALSE(exists(t.env.files, t.path + "/cluster.json.v2"));
}

TEST_CASE("home_guard: a reader makes nothing, and gets an error where there is no home") {
  Fixture t;
  const Error error = t.refusal({.make = false});
  CHECK(error.code == Errc::not_found);
  CHECK(error.path == t.path);
  CHECK_FALSE(exists(t.env.files, t.path));
}

TEST_CASE("home_guard: only the last directory of a path is made, or those below a base") {
  Fixture t;
  t.path = t.env.root() + "/a/b/home";
  const Error error = t.refusal();
  CHECK(error.code == Errc::io);
  CHECK(error.what.find(t.env.root() + "/a/b does not exist") != std::string::npos);
  CHECK(code_of(t.open({.base = t.env.root() + "/a"})) == Errc::io);
  CHECK_FALSE(exists(t.env.files, t.env.root() + "/a"));
  must(must(t.open({.base = t.env.root()}))->make());
  CHECK(exists(t.env.files, t.path + "/cluster.json.v1"));
}

TEST_CASE("home_guard: no home below a mount point that is not mounted") {
  Fixture t;
  t.unmounted = t.env.root();
  const Error error = t.refusal();
  CHECK(error.code == Errc::io);
  CHECK(error.what ==
        "cannot make the home: " + t.env.root() + " is in /etc/fstab but not mounted: 'mount " + t.env.root() + "'");
  CHECK_FALSE(exists(t.env.files, t.path));
}

TEST_CASE("home_guard: no home where one was in this boot that is not mounted now") {
  for (const bool is_mount_point : {false, true}) {
    CAPTURE(is_mount_point);
    Fixture t;
    const std::string mount = t.env.root() + "/mnt";
    t.path = is_mount_point ? mount : mount + "/pg";
    must(t.env.files.make_directory(mount));
    t.mounted_at = mount;
    t.device = 2;
    t.make();
    must(t.env.files.rename(mount, t.env.root() + "/elsewhere"));
    must(t.env.files.make_directory(mount));  // what was below
    t.device = 1;
    const Error error = t.refusal();
    CHECK(error.code == Errc::io);
    CHECK(error.what.find("is its disk mounted?") != std::string::npos);
    CHECK(code_of(t.open({.by_name = true})) == Errc::io);
    CHECK(code_of(t.open({.make = false})) == Errc::io);
    CHECK(must(t.env.files.list(mount)).empty());
    // It comes back.
    must(t.env.files.remove_directory(mount));
    must(t.env.files.rename(t.env.root() + "/elsewhere", mount));
    t.device = 2;
    CHECK(must(must(t.open())->list_topics()) == std::vector<std::string>{"t"});
  }
}

TEST_CASE("home_guard: a home that was removed, with the directory above or without, may be made again") {
  Fixture t;
  t.path = t.env.root() + "/above/home";
  must(t.env.files.make_directory(t.env.root() + "/above"));
  t.make();
  must(t.env.files.remove_tree(t.path));
  t.make();
  must(t.env.files.remove_tree(t.env.root() + "/above"));
  must(t.env.files.make_directory(t.env.root() + "/above"));
  t.make();
  must(t.env.files.remove_tree(t.path));
  must(t.env.files.make_directory(t.path));
  t.make();
}

TEST_CASE("home_guard: no home where one was whose log directories still exist") {
  Fixture t;
  const std::string disk = t.env.root() + "/disk";
  must(Home::init(t.with_mounts(), t.path, {{BrokerId(0)}, {BrokerId(1), disk}}, {}));
  must(t.env.files.remove_tree(t.path));
  for (const bool by_name : {false, true}) {
    const Error error = t.refusal({.by_name = by_name});
    CHECK(error.code == Errc::io);
    CHECK(error.what.find("whose log directories still exist: " + disk) != std::string::npos);
  }
  CHECK_FALSE(exists(t.env.files, t.path));
  must(t.env.files.remove_tree(disk));
  t.make();
}

TEST_CASE("home_guard: a home that was removed under its brokers is made again only by name") {
  Fixture t;
  t.make();
  const Env env = t.with_mounts();
  const Uuid cluster = must(must(t.open())->describe_cluster()).id;
  const HomeNotes notes(env, t.path);
  notes.broker_started(cluster, BrokerId(0));
  must(t.env.files.remove_tree(t.path));
  CHECK(t.refusal().what.find("removed while brokers of it ran") != std::string::npos);
  must(must(t.open({.by_name = true}))->make());
  // What was known of the one before is forgotten.
  must(t.env.files.remove_tree(t.path));
  t.make();

  const Uuid next = must(must(t.open())->describe_cluster()).id;
  notes.broker_started(next, BrokerId(0));
  notes.broker_stopped(next, BrokerId(0));
  must(t.env.files.remove_tree(t.path));
  t.make();
}

TEST_CASE("home_guard: a log directory is not a place for a home, nor is what is in it") {
  Fixture t;
  t.make();
  const std::string kafka = t.env.root() + "/kafka";
  must(t.env.files.make_directory(kafka));
  overwrite(t.env.files, kafka + "/meta.properties", "#\nversion=1\nnode.id=1\ncluster.id=somebody-else\n");
  must(t.env.files.make_directory(kafka + "/t-0"));
  const std::string bare = t.env.root() + "/bare";
  must(t.env.files.make_directory(bare));
  overwrite(t.env.files, bare + "/recovery-point-offset-checkpoint", "0\n0\n");
  const std::string home = t.path;
  for (const auto& path : {kafka, kafka + "/t-0", kafka + "/pg", bare, home + "/brokers/0", home + "/brokers/0/t-0"}) {
    CAPTURE(path);
    t.path = path;
    for (const bool make : {false, true}) {
      const Error error = t.refusal({.make = make});
      CHECK(error.code == Errc::invalid_argument);
      CHECK(error.what.find("a log directory") != std::string::npos);
      CHECK((error.what.find("--home " + home) != std::string::npos) == path.starts_with(home));
    }
    CHECK(code_of(Home::init(t.with_mounts(), path, {{BrokerId(0)}}, {})) == Errc::invalid_argument);
    CHECK_FALSE(exists(t.env.files, path + "/topics"));
  }
}

TEST_CASE("home_guard: the home of a log directory elsewhere is named, if it was seen") {
  Fixture t;
  const std::string disk = t.env.root() + "/disk", home = t.path;
  CHECK(code_of(Home::init(t.with_mounts(), t.path, {{BrokerId(0), disk}}, {})) == Errc::already_exists);
  CHECK_FALSE(exists(t.env.files, t.path));
  must(Home::init(t.with_mounts(), t.path, {{BrokerId(0)}, {BrokerId(1), disk}}, {}));
  t.path = disk;
  CHECK(t.refusal().what.find("--home " + home) != std::string::npos);
}

TEST_CASE("home_guard: lost metadata of a home is damage, and init makes it of what the log directories say") {
  for (const bool is_empty : {false, true}) {
    CAPTURE(is_empty);
    Fixture t;
    const std::string disk = t.env.root() + "/disk";
    must(Home::init(t.with_mounts(), t.path, {{BrokerId(0)}, {BrokerId(1), disk}}, {}));
    const ClusterMetadata before = must(must(t.open())->describe_cluster());
    must(must(t.open())->create_topic("t", 1, {}, t.env.soon()));
    const std::string file = names::versioned(names::cluster_file(t.path), before.version);
    if (is_empty) {
      overwrite(t.env.files, file, "");
    } else {
      for (int64_t v = 1; v <= before.version; ++v)
        must(t.env.files.unlink(names::versioned(names::cluster_file(t.path), v)));
    }
    for (const bool make : {false, true}) {
      const Error error = t.refusal({.make = make});
      CHECK(error.code == Errc::corrupt);
      CHECK(error.path == (is_empty ? file : names::versioned(names::cluster_file(t.path), 1)));
    }
    const auto init = [&](const std::vector<BrokerMetadata>& brokers) {
      return Home::init(t.with_mounts(), t.path, brokers, {});
    };
    CHECK(code_of(init({{BrokerId(1), disk}})) == Errc::conflict);
    must(init({{BrokerId(0)}, {BrokerId(1), disk}}));
    const auto home = must(t.open());
    CHECK(must(home->describe_cluster()).id == before.id);
    CHECK(must(home->describe_cluster()).brokers == before.brokers);
    CHECK(must(home->list_topics()) == std::vector<std::string>{"t"});
    must(home->check_log_directory(BrokerId(1)));
  }
}

TEST_CASE("home_guard: a refused init leaves nothing behind") {
  Fixture t;
  const std::string other = t.env.root() + "/other", disk = t.env.root() + "/disk";
  must(Home::init(t.with_mounts(), other, {{BrokerId(0)}, {BrokerId(1), disk}}, {}));
  const std::vector<std::vector<BrokerMetadata>> rows = {{{BrokerId(0)}, {BrokerId(1), disk}},
                                                         {{BrokerId(0)}, {BrokerId(1), t.env.root() + "/missing/disk"}},
                                                         {{BrokerId(0)}, {BrokerId(1), other}}};
  for (const auto& brokers : rows) {
    CHECK_FALSE(Home::init(t.with_mounts(), t.path, brokers, {}).has_value());
    CHECK_FALSE(exists(t.env.files, t.path));
    CHECK_FALSE(exists(t.env.files, t.env.root() + "/missing"));
  }
}

TEST_CASE("home_guard: of a making that fails at any call nothing is left, unless it is complete") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    Fixture t;
    const auto home = must(t.open());
    t.env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 3});
    const auto made = home->make();
    t.env.files.disarm();
    if (t.env.files.fired() == 0) break;
    if (!made && !exists(t.env.files, t.path + "/cluster.json.v1")) CHECK_FALSE(exists(t.env.files, t.path));
    must(home->make());
    must(home->create_topic("t", 1, {}, t.env.soon()));
  }
}

TEST_CASE("home_guard: links in the place of our directories are not followed") {
  Fixture t(Machine::disk);
  t.make();
  for (const char* const name : {"topics", "brokers", "brokers/0"}) {
    CAPTURE(name);
    const std::string at = t.path + "/" + name, moved = t.env.root() + "/moved";
    must(t.env.files.rename(at, moved));
    REQUIRE(symlink(moved.c_str(), at.c_str()) == 0);
    const Error error = t.refusal();
    CHECK(error.path == at);
    CHECK(error.what.find("is a symbolic link, where a directory was expected") == 0);
    must(t.env.files.unlink(at));
    must(t.env.files.rename(moved, at));
  }
}
