#include "core/local/inspector.h"

#include <fmt/format.h>

#include "core/format/path_names.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

// Everything a dump says, a word for each: "segment@0 batch@0+3 record@0 … fault@70".
struct Dump {
  DumpVisitor visitor() {
    DumpVisitor v;
    v.segment = [this](const std::string&, Offset base, uint64_t) { say("segment", base); };
    v.batch = [this](const DumpedBatch& b) {
      text += fmt::format("batch@{}+{}{} ", b.batch.header.base_offset.value, b.batch.header.record_count,
                          b.crc_matches ? "" : "!");
    };
    v.record = [this](const RecordView& record) { say("record", record.offset); };
    v.fault = [this](const Fault& fault) { say("fault", fault.offset); };
    v.offset_entry = [this](const std::string&, uint64_t, Offset offset, const OffsetIndexEntry&) {
      say("index", offset);
    };
    v.time_entry = [this](const std::string&, uint64_t, Offset offset, const TimeIndexEntry&) { say("time", offset); };
    return v;
  }
  void say(const char* what, Offset where) { text += fmt::format("{}@{} ", what, where.value); }
  std::string text;
};

struct Inspected {
  Inspected() : topic(t.create("t", 1, {{"segment.bytes", "1024"}, {"index.interval.bytes", "300"}})) {
    const auto log = t.log("t");
    for (int n = 0; n < 12; ++n) append(*log, {std::string(40, 'a'), std::string(40, 'b')}, 1000 + 10 * n);
    path = names::segment(t.path + "/brokers/0/t-0", Offset(0), names::SegmentFile::log);
  }
  std::string dump(int64_t from, int64_t to, const DumpOptions& options = {}) {
    Dump d;
    must(dump_partition(*t.home, topic, PartitionId(0), Offset(from), Offset(to), options, d.visitor(), t.env.soon()));
    return d.text;
  }
  TestHome t;
  TopicMetadata topic;
  std::string path;
};

}  // namespace

TEST_CASE("inspector: a dump shows segments, batches and, if asked, records and index entries") {
  Inspected i;
  CHECK(i.dump(0, 4) == "segment@0 batch@0+2 batch@2+2 ");
  CHECK(i.dump(1, 3, {.records = true}) == "segment@0 batch@0+2 record@1 batch@2+2 record@2 ");
  const std::string all = i.dump(0, INT64_MAX, {.records = true, .index = true});
  CHECK(all.find("segment@12 ") != std::string::npos);
  CHECK(all.find("record@23 ") != std::string::npos);
  CHECK(all.find("index@") != std::string::npos);
  CHECK(all.find("time@") != std::string::npos);
  CHECK(all.find("fault") == std::string::npos);
}

TEST_CASE("inspector: a dump goes on behind damage") {
  Inspected i;
  flip_bits(i.t.env.files, i.path, 70);
  CHECK(i.dump(0, 4) == "segment@0 batch@0+2! fault@0 batch@2+2 ");
}

TEST_CASE("inspector: a bare file is dumped wherever it lies") {
  Inspected i;
  const std::string content = must(i.t.env.files.read_all(i.path));
  overwrite(i.t.env.files, i.t.env.root() + "/any.name", content + "tail");
  Dump d;
  must(dump_file(i.t.env.env(), i.t.env.root() + "/any.name", Offset(6), Offset(INT64_MAX), {.index = true},
                 d.visitor()));
  CHECK(d.text == "segment@0 batch@6+2 batch@8+2 batch@10+2 fault@12 ");
  Dump in_place;
  must(dump_file(i.t.env.env(), i.path, Offset(8), Offset(INT64_MAX), {.index = true}, in_place.visitor()));
  CHECK(in_place.text.find("index@") != std::string::npos);
  CHECK(code_of(dump_file(i.t.env.env(), i.path + "x", Offset(0), Offset(1), {}, Dump().visitor())) == Errc::not_found);
  CHECK(code_of(dump_file(i.t.env.env(), i.t.path, Offset(0), Offset(1), {}, Dump().visitor())) == Errc::io);
}

TEST_CASE("inspector: a dump with no visitor's members visits nothing") {
  Inspected i;
  must(dump_partition(*i.t.home, i.topic, PartitionId(0), Offset(0), Offset(INT64_MAX),
                      {.records = true, .index = true}, {}, i.t.env.soon()));
}

TEST_CASE("inspector: a dead writer's tail is not shown") {
  Inspected i;
  const auto bases = must(list_segments(i.t.env.files, parent_path(i.path)));
  const std::string active = names::segment(parent_path(i.path), bases.back(), names::SegmentFile::log);
  must(must(i.t.env.files.open(active, OpenMode::write))->write_at(size_of(i.t.env.files, active), as_bytes("tail")));
  CHECK(i.dump(0, INT64_MAX).find("fault") == std::string::npos);
}

TEST_CASE("inspector: verifying a partition reports its faults") {
  Inspected i;
  std::string faults;
  const auto report = [&](const Fault& fault) { faults += fault.reason + "\n"; };
  CHECK(must(verify_partition(*i.t.home, i.topic, PartitionId(0), i.t.env.soon(), report)).faults == 0);
  flip_bits(i.t.env.files, i.path, 70);
  CHECK(must(verify_partition(*i.t.home, i.topic, PartitionId(0), i.t.env.soon(), report)).faults >= 1);
  CHECK(faults.find("CRC does not match") != std::string::npos);
}
