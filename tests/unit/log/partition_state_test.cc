#include "core/log/partition_state.h"

#include <cstring>

#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

// A partition directory with a page, and a rebuild that only says how it was called.
struct States {
  States() {
    directory = env.root() + "/t-0";
    must(env.files.make_directory(directory));
    must(env.files.open_lock(names::partition_lock(directory), Access::read_write));
    PageContent content;
    content.position.log_end = Offset(5);
    content.leader_epoch = LeaderEpoch(3);
    content.flushed = Offset(2);
    must(PartitionState::write_page(env.env(), directory, content));
  }

  Result<std::shared_ptr<PartitionState>> try_open(Access access = Access::read_write, Duration patience = 10s) {
    PartitionState::Spec spec{directory, "t-0", access, [this](const OldPage& old, Access how) -> Result<PageContent> {
                                ++rebuilds;
                                rebuilt_from = old;
                                rebuilt_for = how;
                                if (rebuild_fails) return fail(Errc::corrupt, "cannot rebuild");
                                PageContent content;
                                content.position.log_end = Offset(100);
                                return content;
                              }};
    return PartitionState::open(env.env(), spec, env.clock().after(patience));
  }
  std::shared_ptr<PartitionState> open(Access access = Access::read_write) { return must(try_open(access)); }
  std::string page_path() const { return names::partition_state(directory); }

  TestEnv env;
  std::string directory;
  int rebuilds = 0;
  bool rebuild_fails = false;
  OldPage rebuilt_from;
  Access rebuilt_for = Access::read_only;
};

}  // namespace

TEST_CASE("partition_state: a good page is mapped as it is") {
  States s;
  const auto state = s.open();
  CHECK(s.rebuilds == 0);
  CHECK(state->access() == Access::read_write);
  CHECK_FALSE(state->is_private_view());
  CHECK(state->position().log_end == Offset(5));
  CHECK(state->high_watermark() == Offset(5));
  CHECK(state->page().leader_epoch == 3);
  CHECK(state->page().flushed == 2);
  CHECK_FALSE(must(state->is_stale()));
  CHECK(size_of(s.env.files, s.page_path()) == StatePage::kBytes);
  CHECK_FALSE(exists(s.env.files, s.page_path() + ".tmp"));
}

TEST_CASE("partition_state: who maps the page sees what others publish in it") {
  States s;
  const auto writer = s.open(), reader = s.open(), looker = s.open(Access::read_only);
  LogPosition position = writer->position();
  position.log_end = Offset(6);
  writer->publish_and_wake(position);
  CHECK(reader->position().log_end == Offset(6));
  CHECK(looker->position().log_end == Offset(6));
  CHECK(looker->access() == Access::read_only);
}

TEST_CASE("partition_state: a page that cannot be trusted is rebuilt, told what the old one still says") {
  const struct {
    const char* name;
    void (*spoil)(States&);
    bool same_boot;
    int64_t log_end_min;
  } rows[] = {
      {"missing", [](States& s) { must(s.env.files.unlink(s.page_path())); }, false, 0},
      {"empty", [](States& s) { overwrite(s.env.files, s.page_path(), ""); }, false, 0},
      {"short", [](States& s) { must(must(s.env.files.open(s.page_path(), OpenMode::write))->truncate(4095)); }, false,
       0},
      {"garbage", [](States& s) { overwrite(s.env.files, s.page_path(), s.env.random.bytes(4096)); }, false, 0},
      {"another magic", [](States& s) { flip_bits(s.env.files, s.page_path(), offsetof(StatePage, magic)); }, false, 0},
      {"another version", [](States& s) { flip_bits(s.env.files, s.page_path(), offsetof(StatePage, version)); }, false,
       0},
      {"another boot", [](States& s) { s.env.reboot(); }, false, 0},
      {"a copy",
       [](States& s) {
         copy_tree(s.env.files, s.page_path(), s.directory + "/copy");
         must(s.env.files.rename(s.directory + "/copy", s.page_path()));
       },
       true, 0},
      {"another device", [](States& s) { flip_bits(s.env.files, s.page_path(), offsetof(StatePage, device)); }, true,
       0},
      {"declared untrusted", [](States& s) { s.open()->page().untrusted = 1; }, true, 5},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    States s;
    row.spoil(s);
    const auto state = s.open();
    CHECK(s.rebuilds == 1);
    CHECK(s.rebuilt_for == Access::read_write);
    CHECK(s.rebuilt_from.same_boot == row.same_boot);
    CHECK(s.rebuilt_from.log_end_min == Offset(row.log_end_min));
    CHECK(state->position().log_end == Offset(100));
    CHECK_FALSE(must(state->is_stale()));
    s.open();
    CHECK(s.rebuilds == 1);
  }
}

TEST_CASE("partition_state: unknown features are told apart") {
  States s;
  flip_bits(s.env.files, s.page_path(), offsetof(StatePage, compatible_features));
  CHECK(s.open()->position().log_end == Offset(5));
  flip_bits(s.env.files, s.page_path(), offsetof(StatePage, incompatible_features));
  CHECK(code_of(s.try_open()) == Errc::unsupported_version);
  CHECK(s.rebuilds == 0);
}

TEST_CASE("partition_state: nobody rebuilds a page that others have mapped") {
  States s;
  auto other = s.open();
  other->page().untrusted = 1;
  const auto before = s.env.clock().now();
  const Error error = error_of(s.try_open(Access::read_write, 200ms));
  CHECK(error.code == Errc::busy);
  CHECK(error.path == s.page_path());
  CHECK(s.env.clock().now() - before >= 200ms);
  CHECK(s.rebuilds == 0);
  CHECK(must(other->is_stale()));
  other.reset();
  CHECK(s.open()->position().log_end == Offset(100));
  CHECK(s.rebuilds == 1);
}

TEST_CASE("partition_state: a rebuild that fails leaves everything free for the next") {
  States s;
  must(s.env.files.unlink(s.page_path()));
  s.rebuild_fails = true;
  CHECK(code_of(s.try_open()) == Errc::corrupt);
  CHECK_FALSE(exists(s.env.files, s.page_path()));
  s.rebuild_fails = false;
  s.open();
  CHECK(s.rebuilds == 2);
}

TEST_CASE("partition_state: every call that fails while a page is rebuilt leaves a partition that opens") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    States s;
    must(s.env.files.unlink(s.page_path()));
    s.env.files.arm({.nth = n, .prefix_bytes = 100});
    const auto opened = s.try_open();
    s.env.files.disarm();
    const auto again = s.try_open();
    REQUIRE(again.has_value());
    CHECK((*again)->position().log_end == Offset(100));
    if (s.env.files.fired() == 0) {
      CHECK(n > 10);
      break;
    }
  }
}

TEST_CASE("partition_state: who may not write rebuilds nothing and gets a view of its own") {
  States s;
  must(s.env.files.unlink(s.page_path()));
  const auto state = s.open(Access::read_only);
  CHECK(state->is_private_view());
  CHECK(s.rebuilt_for == Access::read_only);
  CHECK(state->position().log_end == Offset(100));
  CHECK(must(state->is_stale()));  // it does not follow what others write: open it again
  CHECK_FALSE(exists(s.env.files, s.page_path()));
  state->prepare_to_sleep();
  CHECK(state->page().sleepers == 0);
}

TEST_CASE("partition_state: a partition that is not there") {
  States s;
  must(s.env.files.remove_tree(s.directory));
  CHECK(code_of(s.try_open()) == Errc::not_found);
  CHECK(code_of(s.try_open(Access::read_only)) == Errc::not_found);
}

TEST_CASE("partition_state: replaced, unlinked, cut and untrusted pages are stale") {
  const std::pair<const char*, void (*)(States&)> rows[] = {
      {"page replaced", [](States& s) { must(PartitionState::write_page(s.env.env(), s.directory, {})); }},
      {"page unlinked", [](States& s) { must(s.env.files.unlink(s.page_path())); }},
      {"lock file unlinked", [](States& s) { must(s.env.files.unlink(names::partition_lock(s.directory))); }},
      {"page cut short",
       [](States& s) { must(must(s.env.files.open(s.page_path(), OpenMode::write))->truncate(100)); }},
      {"page untrusted", [](States& s) { s.open()->page().untrusted = 1; }},
      {"directory removed", [](States& s) { must(s.env.files.remove_tree(s.directory)); }},
  };
  for (const auto& [name, spoil] : rows) {
    CAPTURE(name);
    States s;
    const auto state = s.open();
    CHECK_FALSE(must(state->is_stale()));
    spoil(s);
    CHECK(must(state->is_stale()));
  }
}

TEST_CASE("partition_state: a deleted partition says so to all who have it open") {
  States s;
  const auto one = s.open(), other = s.open(Access::read_only);
  CHECK(other->check_not_deleted().has_value());
  one->page().deleted = 1;
  CHECK(code_of(other->check_not_deleted()) == Errc::not_found);
}

TEST_CASE("partition_state: publishing costs a wake-up only when somebody sleeps") {
  States s;
  const auto writer = s.open(), reader = s.open();
  writer->publish_and_wake(writer->position());
  CHECK(s.env.manual_clock.wakes() == 0);
  const WakeWord word = reader->prepare_to_sleep();
  CHECK(*word.word == word.seen);
  writer->publish_and_wake(writer->position());
  CHECK(s.env.manual_clock.wakes() == 1);
  CHECK(*word.word != word.seen);  // who had not begun to wait yet will not
  writer->publish_and_wake(writer->position());
  CHECK(s.env.manual_clock.wakes() == 1);
}

TEST_CASE("partition_state: a boot id that cannot be read stops everything") {
  States s;
  Env env = s.env.env();
  env.boot_id = []() -> Result<Uuid> { return fail(Errc::io, "no boot id"); };
  PartitionState::Spec spec{s.directory, "t-0", Access::read_write,
                            [](const OldPage&, Access) -> Result<PageContent> { return PageContent{}; }};
  CHECK(error_of(PartitionState::open(env, spec, s.env.soon())).what == "no boot id");
  CHECK(code_of(PartitionState::write_page(env, s.directory, {})) == Errc::io);
}

TEST_CASE("partition_state: a page is rebuilt only while nobody appends") {
  States s;
  must(s.env.files.unlink(s.page_path()));
  const auto locks = must(s.env.files.open_lock(names::partition_lock(s.directory), Access::read_write));
  REQUIRE(must(locks->try_lock(lock_byte::kAppend, LockMode::exclusive)));
  CHECK(code_of(s.try_open(Access::read_write, 0s)) == Errc::timed_out);
  CHECK(s.rebuilds == 0);
  locks->unlock(lock_byte::kAppend);
  s.open();
  CHECK(s.rebuilds == 1);
}

TEST_CASE("partition_state: a page beside another lock file does not count") {
  States s;
  s.open();
  CHECK(s.rebuilds == 0);
  must(s.env.files.unlink(names::partition_lock(s.directory)));
  s.open();
  CHECK(s.rebuilds == 1);
  CHECK(s.rebuilt_from.log_end_min == Offset(0));
}

TEST_CASE("partition_state: a process with a read-only map of the page gets an error when it would store to it") {
  States s;
  const auto state = s.open(Access::read_only);
  CHECK(error_of(state->check_writable()).what == "no permission to write to 't-0'");
  state->fence(LeaderEpoch(9));
  CHECK(s.open()->page().fenced == 0);
  CHECK(s.open()->check_writable().has_value());
}
