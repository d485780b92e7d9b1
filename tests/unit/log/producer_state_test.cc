#include "core/log/producer_state.h"

#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

// A log of small segments into which several producers write, each counting its records.
struct ProducedLog {
  explicit ProducedLog(const LogConfig& config = tiny_segments()) : partition(env, config), log(partition.open()) {}

  void write(int64_t id, int n = 1) {
    std::vector<std::string> values;
    for (int i = 0; i < n; ++i) values.push_back(std::to_string(id) + ":" + std::to_string(counts[id] + i));
    must(log->append(TestBatch(values).bytes(ProducerStamp::of(id, counts[id])), env.soon()));
    counts[id] += n;
  }
  void write_anonymous(int batches) {
    for (int i = 0; i < batches; ++i) append(*log, {"somebody else's"});
  }
  int64_t count(int64_t id, int64_t start = 0) { return must(count_written(*log, id, Offset(start), env.soon())); }
  std::string batches_of(int64_t id, int64_t start = 0) {
    auto batches = must(WrittenBatches::open(*log, id, Offset(start)));
    std::string text;
    while (const auto batch = must(batches.next())) {
      CHECK(batch->header.producer.id == id);
      text += std::to_string(batch->header.producer.count()) + "+" + std::to_string(batch->header.record_count) + " ";
    }
    return text;
  }
  std::vector<Offset> segments() { return must(list_segments(env.files, partition.directory())); }
  std::string snapshot(Offset base) {
    return names::segment(partition.directory(), base, names::SegmentFile::snapshot);
  }

  TestEnv env;
  TestPartition partition;
  std::unique_ptr<PartitionLog> log;
  std::map<int64_t, int64_t> counts;
};

}  // namespace

TEST_CASE("producer_state: the log tells how much a producer has written, over many segments") {
  ProducedLog l;
  CHECK(l.count(7) == 0);
  for (int i = 0; i < 100; ++i) {
    l.write(i % 3 == 0 ? 7 : 8, 1 + i % 2);
    CHECK(l.count(7) == l.counts[7]);
    CHECK(l.count(8) == l.counts[8]);
    CHECK(l.count(9) == 0);
  }
  CHECK(l.segments().size() > 5);
  CHECK(faults_of(*l.log) == "");
}

TEST_CASE("producer_state: segments without producer ids get no snapshot, those after one do") {
  ProducedLog l;
  while (l.segments().size() < 3) l.write_anonymous(1);
  CHECK(l.partition.files_ending(".snapshot") == "");
  l.write(7);
  while (l.segments().size() < 6) l.write_anonymous(1);
  const auto bases = l.segments();
  for (size_t i = 0; i < bases.size(); ++i) CHECK(exists(l.env.files, l.snapshot(bases[i])) == (i >= 3));
  const auto entries = must(parse_producer_snapshot(must(l.env.files.read_all(l.snapshot(bases[5])))));
  REQUIRE(entries.size() == 1);
  CHECK(entries.at(7).end_count() == 1);
}

TEST_CASE("producer_state: a snapshot spares reading the segments before, and outlives them") {
  ProducedLog l;
  l.write(7, 3);
  while (l.segments().size() < 6) l.write_anonymous(1);
  for (size_t i = 0; i < 5; ++i) must(remove_segment(l.env.files, l.partition.directory(), l.segments()[0]));
  CHECK(l.count(7) == 3);
  CHECK(l.batches_of(7) == "");
}

TEST_CASE("producer_state: a snapshot that is missing, spoilt or silent is no obstacle") {
  for (const char* how : {"missing", "spoilt", "silent"}) {
    CAPTURE(how);
    ProducedLog l;
    l.write(7, 3);
    while (l.segments().size() < 4) l.write(8);
    for (const Offset base : l.segments()) {
      const std::string path = l.snapshot(base);
      if (!exists(l.env.files, path)) continue;
      if (how == std::string("missing"))
        must(l.env.files.unlink(path));
      else if (how == std::string("spoilt"))
        flip_bits(l.env.files, path, 12);
      else
        overwrite(l.env.files, path, write_producer_snapshot({{8, {}}}));
    }
    CHECK(l.count(7) == 3);
    CHECK(l.count(8) == l.counts[8]);
  }
}

TEST_CASE("producer_state: a producer's batches are found again in order, and nobody else's") {
  ProducedLog l;
  std::string wanted;
  for (int i = 0; i < 40; ++i) {
    if (i % 4 == 0) wanted += std::to_string(l.counts[7]) + "+" + std::to_string(1 + i % 3) + " ";
    l.write(i % 4 == 0 ? 7 : 8, 1 + i % 3);
    l.write_anonymous(1);
  }
  CHECK(l.batches_of(7) == wanted);
  CHECK(l.batches_of(9) == "");
}

TEST_CASE("producer_state: what a start rules out is not read") {
  ProducedLog l;
  while (l.segments().size() < 4) l.write_anonymous(1);
  const Offset start = l.log->current_state()->position().log_end;
  l.write(7, 2);
  flip_bits(l.env.files, l.partition.log_file(0), 16);  // the first batch is no batch any more
  CHECK(l.count(7, start.value) == 2);
  CHECK(l.count(9, start.value) == 0);
  CHECK(l.batches_of(7, start.value) == "0+2 ");
  CHECK(code_of(count_written(*l.log, 9, Offset(0), l.env.soon())) == Errc::corrupt);
}

TEST_CASE("producer_state: the page that is made anew knows that its segment has producer ids") {
  ProducedLog l;
  l.write(7, 2);
  l.log.reset();
  must(l.env.files.unlink(l.partition.page_file()));
  l.log = l.partition.open();
  while (l.segments().size() < 2) l.write_anonymous(1);
  CHECK(exists(l.env.files, l.snapshot(l.segments()[1])));
  CHECK(l.count(7) == 2);
}

TEST_CASE("producer_state: whichever call fails while rolling, nothing is lost or there twice") {
  for (int64_t nth = 1;; ++nth) {
    ProducedLog l;
    l.write(7, 2);
    const size_t before = l.segments().size();
    while (true) {  // up to the batch that rolls
      const LogPosition p = l.log->current_state()->position();
      if (p.segment_bytes + 200 > l.partition.config.segment_bytes) break;
      l.write_anonymous(1);
    }
    l.env.files.arm({.nth = nth, .sys_errno = ENOSPC, .prefix_bytes = 3});
    bool failed = false;
    for (int i = 0; i < 4 && !failed; ++i) {
      failed = !l.log->append(TestBatch({"v"}).bytes(ProducerStamp::of(8, i)), l.env.soon());
      if (!failed) ++l.counts[8];
    }
    const bool fired = l.env.files.fired() > 0;
    l.env.files.disarm();
    while (l.segments().size() < before + 1) l.write(8);
    CHECK(l.count(7) == 2);
    CHECK(l.count(8) == l.counts[8]);
    CHECK(faults_of(*l.log) == "");
    if (!fired) break;
  }
}
