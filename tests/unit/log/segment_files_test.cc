#include "core/log/segment_files.h"

#include "core/format/index_entry.h"
#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;
using names::SegmentFile;

namespace {

struct Segments {
  Segments() { must(create_segment(env.files, env.root(), Offset(100))); }

  ActiveSegment open() { return must(open_active_segment(env.env(), env.root(), Offset(100))); }
  std::string path(SegmentFile kind) const { return names::segment(env.root(), Offset(100), kind); }
  std::string offset_entries() {
    const std::string bytes = must(env.files.read_all(path(SegmentFile::offset_index)));
    std::string text;
    for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      const auto e = OffsetIndexEntry::read(as_bytes(bytes).data() + at);
      text += std::to_string(e.relative_offset) + "@" + std::to_string(e.position) + " ";
    }
    return text;
  }
  std::string time_entries() {
    const std::string bytes = must(env.files.read_all(path(SegmentFile::time_index)));
    std::string text;
    for (size_t at = 0; at + 12 <= bytes.size(); at += 12) {
      const auto e = TimeIndexEntry::read(as_bytes(bytes).data() + at);
      text += std::to_string(e.timestamp_ms) + "@" + std::to_string(e.relative_offset) + " ";
    }
    return text;
  }

  TestEnv env;
};

}  // namespace

TEST_CASE("segment_files: segments are the .log files, in order") {
  TestEnv env;
  for (const char* name : {"00000000000000000020.log", "00000000000000000003.log", "00000000000000000000.log",
                           "00000000000000000007.index", "00000000000000000009.log.deleted", "5.log", "partition.lock",
                           "00000000000000000020.torn-1"}) {
    overwrite(env.files, env.root() + "/" + name, "");
  }
  CHECK(must(list_segments(env.files, env.root())) == std::vector{Offset(0), Offset(3), Offset(20)});
  CHECK(code_of(list_segments(env.files, env.root() + "/none")) == Errc::not_found);
}

TEST_CASE("segment_files: which segment holds an offset") {
  const std::vector bases = {Offset(10), Offset(20), Offset(30)};
  CHECK(segment_of(bases, Offset(9)) == std::nullopt);
  CHECK(segment_of(bases, Offset(10)) == Offset(10));
  CHECK(segment_of(bases, Offset(19)) == Offset(10));
  CHECK(segment_of(bases, Offset(20)) == Offset(20));
  CHECK(segment_of(bases, Offset(99)) == Offset(30));
  CHECK(segment_of({}, Offset(0)) == std::nullopt);
}

TEST_CASE("segment_files: a segment is made whole and never over another") {
  Segments s;
  CHECK(code_of(create_segment(s.env.files, s.env.root(), Offset(100))) == Errc::already_exists);
  must(s.env.files.unlink(s.path(SegmentFile::offset_index)));
  s.open();  // an index that is missing is made
  CHECK(exists(s.env.files, s.path(SegmentFile::offset_index)));
  must(s.env.files.unlink(s.path(SegmentFile::time_index)));
  must(remove_segment(s.env.files, s.env.root(), Offset(100)));  // whatever there is of it
  must(remove_segment(s.env.files, s.env.root(), Offset(100)));
  CHECK(must(s.env.files.list(s.env.root())).empty());
  CHECK(code_of(open_active_segment(s.env.env(), s.env.root(), Offset(100))) == Errc::not_found);
}

TEST_CASE("segment_files: index entries come as Kafka's do, one more than interval bytes after the last") {
  Segments s;
  const ActiveSegment segment = s.open();
  IndexWriter writer(*segment.offset_index, *segment.time_index, 100);
  LogPosition position;
  position.active_segment = Offset(100);
  writer.add_batch(position, Offset(101), 5000, 60);
  writer.add_batch(position, Offset(102), 7000, 40);  // 60 bytes since the beginning: no entry
  writer.add_batch(position, Offset(103), 6000, 10);  // 100 is not more than 100
  CHECK(s.offset_entries() == "");
  writer.add_batch(position, Offset(104), 6500, 200);  // 110
  CHECK(s.offset_entries() == "4@110 ");
  CHECK(s.time_entries() == "7000@2 ");  // the greatest so far, and who had it
  writer.add_batch(position, Offset(105), 6600, 50);
  CHECK(s.offset_entries() == "4@110 5@310 ");
  CHECK(s.time_entries() == "7000@2 ");  // times ascend
  writer.add_batch(position, Offset(106), 8000, 300);
  writer.add_batch(position, Offset(107), 1, 1);
  CHECK(s.offset_entries() == "4@110 5@310 7@660 ");
  CHECK(s.time_entries() == "7000@2 8000@6 ");
  CHECK(position.segment_bytes == 661);
  CHECK(position.offset_index_bytes == 24);
  CHECK(position.time_index_bytes == 24);
  CHECK(position.bytes_since_index_entry == 1);
  CHECK(position.max_timestamp_ms == 8000);
  CHECK(position.max_timestamp_offset == Offset(106));
  CHECK(position.first_timestamp_ms == 5000);
}

TEST_CASE("segment_files: closing adds the last time and drops what a dead writer left") {
  Segments s;
  const ActiveSegment segment = s.open();
  IndexWriter writer(*segment.offset_index, *segment.time_index, 100);
  LogPosition position;
  position.active_segment = Offset(100);
  writer.add_batch(position, Offset(101), 5000, 60);
  overwrite(s.env.files, s.path(SegmentFile::offset_index), std::string(17, 'x'));
  overwrite(s.env.files, s.path(SegmentFile::time_index), std::string(36, 'x'));
  writer.close(position);
  CHECK(s.offset_entries() == "");
  CHECK(s.time_entries() == "5000@1 ");
  CHECK(size_of(s.env.files, s.path(SegmentFile::time_index)) == 12);
  CHECK(position.time_index_bytes == 12);
  writer.close(position);
  CHECK(s.time_entries() == "5000@1 ");
}

TEST_CASE("segment_files: an index that cannot be written stays as it is, and is tried again") {
  Segments s;
  const ActiveSegment segment = s.open();
  IndexWriter writer(*segment.offset_index, *segment.time_index, 100);
  LogPosition position;
  position.active_segment = Offset(100);
  writer.add_batch(position, Offset(101), 5000, 200);
  s.env.files.arm({.kind = Call::write, .sys_errno = ENOSPC, .prefix_bytes = 3});
  writer.add_batch(position, Offset(102), 5001, 200);
  CHECK(s.env.files.fired() == 1);
  CHECK(position.offset_index_bytes == 0);
  CHECK(position.segment_bytes == 400);
  s.env.files.arm({.kind = Call::write, .nth = 2, .sys_errno = ENOSPC, .prefix_bytes = 3});  // the time index
  writer.add_batch(position, Offset(103), 5002, 200);
  CHECK(s.offset_entries() == "3@400 ");
  CHECK(position.time_index_bytes == 0);
  s.env.files.disarm();
  writer.add_batch(position, Offset(104), 5003, 200);
  CHECK(s.offset_entries() == "3@400 4@600 ");
  CHECK(s.time_entries() == "5003@4 ");
}

TEST_CASE("segment_files: lookups by offset") {
  Segments s;
  const auto lookup = [&](int64_t target) {
    const auto hint = lookup_offset(s.env.files, s.env.root(), Offset(100), Offset(target));
    return hint ? std::to_string(hint->last_offset.value) + "@" + std::to_string(hint->position) : "start";
  };
  CHECK(lookup(100) == "start");  // an empty index
  std::string index(40, '\0');
  for (int i = 0; i < 5; ++i) {
    OffsetIndexEntry{10 * (i + 1), 1000 * (i + 1)}.write(std::as_writable_bytes(std::span(index)).data() + 8 * i);
  }
  overwrite(s.env.files, s.path(SegmentFile::offset_index), index);
  CHECK(lookup(100) == "start");
  CHECK(lookup(109) == "start");
  CHECK(lookup(110) == "110@1000");
  CHECK(lookup(119) == "110@1000");
  CHECK(lookup(149) == "140@4000");
  CHECK(lookup(150) == "150@5000");
  CHECK(lookup(INT64_MAX) == "150@5000");
  overwrite(s.env.files, s.path(SegmentFile::offset_index), index + "abc");  // half an entry is none
  CHECK(lookup(INT64_MAX) == "150@5000");
  overwrite(s.env.files, s.path(SegmentFile::offset_index),
            std::string(80, '\xff'));  // relative offsets and positions of -1
  CHECK(lookup(150) == "start");
  must(s.env.files.unlink(s.path(SegmentFile::offset_index)));
  CHECK(lookup(150) == "start");
  must(s.env.files.make_directory(s.path(SegmentFile::offset_index)));
  CHECK(lookup(150) == "start");
}

TEST_CASE("segment_files: a new segment is on the disk before its name is") {
  TestEnv env;
  const std::string directory = env.root() + "/d";
  must(env.files.make_directory(directory));
  const int64_t syncs = env.files.calls(Call::sync), names = env.files.calls(Call::sync_directory);
  must(create_segment(env.files, directory, Offset(7)));
  CHECK(env.files.calls(Call::sync) == syncs + 1);
  CHECK(env.files.calls(Call::sync_directory) == names + 1);
  must(remove_segment(env.files, directory, Offset(7)));
  // A file whose sync fails has not got its name for good.
  env.files.arm({.kind = Call::sync});
  CHECK_FALSE(create_segment(env.files, directory, Offset(7)).has_value());
  CHECK(env.files.calls(Call::sync_directory) == names + 1);
}
