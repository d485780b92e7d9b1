// What file_system.h promises, held against the real file system and the one in memory: tests that run on the second
// are worth something only if it behaves as the first.
#include "core/os/file_system.h"

#include <algorithm>
#include <atomic>

#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

std::string read(File& file, uint64_t position, size_t length) {
  std::string text(length, '?');
  text.resize(must(file.read_at(position, std::as_writable_bytes(std::span(text)))));
  return text;
}

std::vector<std::string> sorted_list(FileSystem& files, const std::string& directory) {
  auto names = must(files.list(directory));
  std::sort(names.begin(), names.end());
  return names;
}

// Runs the body on an empty directory `root` of each machine.
template <class Body>
void on_every_machine(Body body) {
  for (const Machine machine : kEveryMachine) {
    CAPTURE(machine == Machine::disk);
    TestEnv env(machine);
    body(static_cast<FileSystem&>(env.files), env.root());
  }
}

}  // namespace

TEST_CASE("file_system: open modes") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    const std::string path = root + "/f";
    CHECK(code_of(files.open(path, OpenMode::read)) == Errc::not_found);
    CHECK(code_of(files.open(path, OpenMode::write)) == Errc::not_found);
    CHECK(code_of(files.open(root + "/none/f", OpenMode::create)) == Errc::not_found);
    must(must(files.open(path, OpenMode::create))->write_at(0, as_bytes("abc")));
    CHECK(code_of(files.open(path, OpenMode::create_new)) == Errc::already_exists);
    CHECK(read(*must(files.open(path, OpenMode::create)), 0, 10) == "abc");  // not emptied
    const auto reader = must(files.open(path, OpenMode::read));
    CHECK(reader->path() == path);
    CHECK(code_of(reader->write_at(0, as_bytes("x"))) == Errc::io);
    CHECK(code_of(reader->truncate(0)) == Errc::io);
    CHECK(code_of(files.open(path + "/f", OpenMode::read)) == Errc::io);  // a file is not a directory
    CHECK(code_of(files.open(root, OpenMode::write)) == Errc::io);
    CHECK(code_of(files.open(root + "/" + std::string(256, 'x'), OpenMode::create)) == Errc::io);
    must(files.open(root + "/" + std::string(255, 'x'), OpenMode::create));
  });
}

TEST_CASE("file_system: an error names the path and carries errno") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    const Error error = error_of(files.open(root + "/f", OpenMode::read));
    CHECK(error.path == root + "/f");
    CHECK(error.sys_errno == ENOENT);
  });
}

TEST_CASE("file_system: positional reads and writes, holes and truncation") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    const auto file = must(files.open(root + "/f", OpenMode::create_new));
    CHECK(read(*file, 0, 10) == "");
    must(file->write_at(5000, as_bytes("tail")));
    CHECK(must(file->info()).size_bytes == 5004);
    CHECK(read(*file, 4998, 10) == std::string("\0\0tail", 6));
    CHECK(read(*file, 5004, 10) == "");
    CHECK(read(*file, 99999, 10) == "");
    must(file->write_at(4094, as_bytes("across")));  // the border of a page
    CHECK(read(*file, 4092, 10) == std::string("\0\0across\0\0", 10));
    must(file->truncate(4096));
    CHECK(read(*file, 4094, 10) == "ac");
    must(file->truncate(4098));
    CHECK(read(*file, 4094, 10) == std::string("ac\0\0", 4));  // what was cut does not come back
    must(file->write_at(4098, as_bytes("")));
    must(file->sync());
    CHECK(must(file->info()).size_bytes == 4098);
  });
}

TEST_CASE("file_system: a map and its file are the same memory, for every handle") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    const auto file = must(files.open(root + "/f", OpenMode::create_new));
    must(file->write_at(0, as_bytes(std::string(4096, 'a'))));
    const auto reader = must(files.open(root + "/f", OpenMode::read));
    const auto map = must(file->map(4096, Access::read_write));
    const auto other = must(reader->map(4096, Access::read_only));
    CHECK(code_of(reader->map(4096, Access::read_write)) == Errc::io);
    map->data()[7] = std::byte{'b'};
    CHECK(read(*reader, 6, 3) == "aba");
    CHECK(other->data()[7] == std::byte{'b'});
    must(file->write_at(8, as_bytes("c")));
    CHECK(map->data()[8] == std::byte{'c'});
    must(files.unlink(root + "/f"));
    must(files.open(root + "/f", OpenMode::create_new));  // another file of that name
    map->data()[9] = std::byte{'d'};
    CHECK(other->data()[9] == std::byte{'d'});
    CHECK(read(*reader, 6, 4) == "abcd");
  });
}

TEST_CASE("file_system: inode numbers and link counts tell files apart") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    const auto a = must(files.open(root + "/a", OpenMode::create_new));
    const auto b = must(files.open(root + "/b", OpenMode::create_new));
    const FileInfo info_a = must(a->info()), info_b = must(b->info());
    CHECK(info_a.device == info_b.device);
    CHECK(info_a.inode != info_b.inode);
    CHECK(info_a.links == 1);
    CHECK_FALSE(info_a.is_directory);
    CHECK(must(files.info(root + "/a")).inode == info_a.inode);
    CHECK(must(files.info(root)).is_directory);

    must(files.link(root + "/a", root + "/c"));
    CHECK(must(a->info()).links == 2);
    CHECK(must(files.info(root + "/c")).inode == info_a.inode);
    CHECK(code_of(files.link(root + "/a", root + "/b")) == Errc::already_exists);
    CHECK(code_of(files.link(root + "/none", root + "/d")) == Errc::not_found);
    must(files.unlink(root + "/a"));
    CHECK(must(a->info()).links == 1);
    must(files.unlink(root + "/c"));
    CHECK(must(a->info()).links == 0);
    must(a->write_at(0, as_bytes("ghost")));
    CHECK(read(*a, 0, 9) == "ghost");
    CHECK(code_of(files.unlink(root + "/a")) == Errc::not_found);
    CHECK(code_of(files.info(root + "/a")) == Errc::not_found);
  });
}

TEST_CASE("file_system: rename replaces files, and open handles keep what they had") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    overwrite(files, root + "/a", "new");
    overwrite(files, root + "/b", "old");
    const auto old = must(files.open(root + "/b", OpenMode::read));
    must(files.rename(root + "/a", root + "/b"));
    CHECK(read(*old, 0, 9) == "old");
    CHECK(must(old->info()).links == 0);
    CHECK(must(files.read_all(root + "/b")) == "new");
    CHECK_FALSE(exists(files, root + "/a"));
    CHECK(code_of(files.rename(root + "/a", root + "/c")) == Errc::not_found);
    CHECK(code_of(files.rename(root + "/b", root + "/none/c")) == Errc::not_found);
    must(files.rename(root + "/b", root + "/b"));
    CHECK(must(files.read_all(root + "/b")) == "new");
  });
}

TEST_CASE("file_system: rename of directories") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    must(files.make_directory(root + "/a"));
    overwrite(files, root + "/a/f", "1");
    const auto inside = must(files.open(root + "/a/f", OpenMode::write));
    must(files.make_directory(root + "/empty"));
    must(files.make_directory(root + "/full"));
    overwrite(files, root + "/full/g", "2");
    overwrite(files, root + "/file", "3");

    CHECK(code_of(files.rename(root + "/a", root + "/full")) == Errc::already_exists);
    CHECK(code_of(files.rename(root + "/a", root + "/file")) == Errc::io);
    CHECK(code_of(files.rename(root + "/file", root + "/a")) == Errc::io);
    CHECK(code_of(files.rename(root + "/a", root + "/a/b")) == Errc::io);
    must(files.rename(root + "/a", root + "/empty"));
    CHECK(must(files.read_all(root + "/empty/f")) == "1");
    CHECK_FALSE(exists(files, root + "/a"));
    must(inside->write_at(0, as_bytes("4")));  // its path is stale, the handle is not
    CHECK(must(files.read_all(root + "/empty/f")) == "4");
    CHECK(must(inside->info()).links == 1);
  });
}

TEST_CASE("file_system: directories are listed, and removed only when empty") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    must(files.make_directory(root + "/d"));
    CHECK(code_of(files.make_directory(root + "/d")) == Errc::already_exists);
    CHECK(code_of(files.make_directory(root + "/none/d")) == Errc::not_found);
    CHECK(sorted_list(files, root + "/d").empty());
    overwrite(files, root + "/d/f", "");
    must(files.make_directory(root + "/d/.hidden"));
    CHECK(sorted_list(files, root + "/d") == std::vector<std::string>{".hidden", "f"});
    CHECK(code_of(files.list(root + "/none")) == Errc::not_found);
    CHECK(code_of(files.list(root + "/d/f")) == Errc::io);
    CHECK(code_of(files.remove_directory(root + "/d")) == Errc::already_exists);
    CHECK(code_of(files.remove_directory(root + "/d/f")) == Errc::io);
    CHECK(code_of(files.unlink(root + "/d")) == Errc::io);
    must(files.sync_directory(root + "/d"));
    CHECK(code_of(files.sync_directory(root + "/none")) == Errc::not_found);
    must(files.remove_directory(root + "/d/.hidden"));
    must(files.unlink(root + "/d/f"));
    must(files.remove_directory(root + "/d"));
    CHECK(code_of(files.remove_directory(root + "/d")) == Errc::not_found);
  });
}

TEST_CASE("file_system: a directory is opened neither as a file nor as a lock") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create}) {
      const Error error = error_of(files.open(root, mode));
      CHECK(error.code == Errc::io);
      CHECK(error.path == root);
    }
    CHECK(code_of(files.open_lock(root, Access::read_write)) == Errc::io);
    CHECK(code_of(files.read_all(root)) == Errc::io);
    CHECK(must(files.info(root)).kind == FileKind::directory);
  });
}

TEST_CASE("file_system: read_all") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    CHECK(code_of(files.read_all(root + "/f")) == Errc::not_found);
    overwrite(files, root + "/f", "");
    CHECK(must(files.read_all(root + "/f")) == "");
    const std::string large(200'000, 'x');
    overwrite(files, root + "/f", large);
    CHECK(must(files.read_all(root + "/f")) == large);
  });
}

TEST_CASE("file_system: replace makes and replaces files whole, and minds no temporary that a dead one left") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    must(files.replace(root + "/f", "one"));
    CHECK(must(files.read_all(root + "/f")) == "one");
    overwrite(files, root + "/f.tmp", "what a dead writer left, and longer");
    must(files.replace(root + "/f", "two"));
    CHECK(must(files.read_all(root + "/f")) == "two");
    CHECK(sorted_list(files, root) == std::vector<std::string>{"f"});
  });
}

TEST_CASE("file_system: replace that fails anywhere leaves the old content or the new") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    const std::string path = env.root() + "/f";
    must(env.files.replace(path, "old"));
    env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 1});
    const auto replaced = env.files.replace(path, "new");
    env.files.disarm();
    const std::string content = must(env.files.read_all(path));
    CHECK((content == "new" || (!replaced && content == "old")));
    must(env.files.replace(path, "later"));
    CHECK(must(env.files.read_all(path)) == "later");
    if (env.files.fired() == 0) {
      CHECK(n == 7);  // unlink, open, write, sync, rename, sync of the directory
      break;
    }
    CHECK_FALSE(replaced.has_value());
  }
}

TEST_CASE("file_system: make_directories makes what is missing") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    must(files.make_directories(root + "/a/b/c"));
    must(files.make_directories(root + "/a/b/c"));
    CHECK(must(files.info(root + "/a/b/c")).is_directory);
    overwrite(files, root + "/a/f", "");
    CHECK(code_of(files.make_directories(root + "/a/f")) == Errc::already_exists);
    CHECK(code_of(files.make_directories(root + "/a/f/g")) == Errc::already_exists);
  });
}

TEST_CASE("file_system: remove_tree removes all of it, and nothing is no error") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    must(files.remove_tree(root + "/a"));
    must(files.make_directories(root + "/a/b"));
    overwrite(files, root + "/a/b/f", "1");
    overwrite(files, root + "/a/g", "2");
    must(files.remove_tree(root + "/a"));
    CHECK_FALSE(exists(files, root + "/a"));
    overwrite(files, root + "/f", "3");
    must(files.remove_tree(root + "/f"));
    CHECK_FALSE(exists(files, root + "/f"));
  });
}

TEST_CASE("file_system: a local directory is not remote") {
  on_every_machine([](FileSystem& files, const std::string& root) {
    CHECK(must(files.remote_type(root)) == "");
    CHECK(code_of(files.remote_type(root + "/none")) == Errc::not_found);
  });
}

TEST_CASE("file_system: parent_path") {
  CHECK(parent_path("/a/b") == "/a");
  CHECK(parent_path("/a") == "/");
  CHECK(parent_path("/") == "/");
  CHECK(parent_path("a") == ".");
  CHECK(parent_path("a/b") == "a");
}

TEST_CASE("file_system: injected faults are counted, chosen and reported as the system reports them") {
  TestEnv env;
  const std::string path = env.root() + "/f";
  overwrite(env.files, path, "0123456789");
  const auto file = must(env.files.open(path, OpenMode::write));
  env.files.arm({.kind = Call::write, .nth = 2, .sys_errno = ENOSPC, .prefix_bytes = 3});
  must(file->write_at(0, as_bytes("ab")));
  const Error error = error_of(file->write_at(0, as_bytes("ABCDEF")));
  CHECK(error.code == Errc::no_space);
  CHECK(error.sys_errno == ENOSPC);
  must(file->write_at(9, as_bytes("z")));
  CHECK(env.files.fired() == 1);
  CHECK(must(env.files.read_all(path)) == "ABC345678z");
  env.files.arm({.kind = Call::sync, .for_ever = true});
  CHECK(code_of(file->sync()) == Errc::io);
  CHECK(code_of(file->sync()) == Errc::io);
  CHECK(env.files.fired() == 2);
  env.files.disarm();
  must(file->sync());
}
