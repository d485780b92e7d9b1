#include "core/log/log_verify.h"

#include <algorithm>

#include "core/base/crc32c.h"

#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;

namespace {

constexpr uint8_t kMasks[] = {0x01, 0x80, 0xff};  // the bits that are flipped in a byte

// 24 batches of one to three records, in three segments.
struct VerifiedLog {
  VerifiedLog() : partition(env, tiny_segments()), log(partition.open()) {
    for (int n = 0; n < 24; ++n) {
      const std::string value = std::to_string(n) + std::string(static_cast<size_t>(n), 'v');
      append(*log, std::vector<std::string>(static_cast<size_t>(1 + n % 3), value), 1000 + 10 * n);
    }
    bases = must(list_segments(env.files, partition.directory()));
  }
  TestEnv env;
  TestPartition partition;
  std::unique_ptr<PartitionLog> log;
  std::vector<Offset> bases;
};

}  // namespace

TEST_CASE("log_verify: an intact log has no faults, and is counted") {
  VerifiedLog l;
  REQUIRE(l.bases.size() == 3);
  const VerifyTotals totals = must(verify_log(*l.log, [](const Fault&) {}));
  CHECK(totals.segments == 3);
  CHECK(totals.batches == 24);
  CHECK(totals.records == 48);
  CHECK(totals.faults == 0);
  int64_t bytes = 0;
  for (const Offset base : l.bases)
    bytes += static_cast<int64_t>(size_of(l.env.files, l.partition.log_file(base.value)));
  CHECK(totals.bytes == bytes);
}

TEST_CASE("log_verify: every flipped byte of the log is found, at the batch that it is in") {
  VerifiedLog l;
  for (const Offset base : l.bases) {
    const std::string path = l.partition.log_file(base.value);
    std::vector<uint64_t> starts;
    const auto file = must(l.env.files.open(path, OpenMode::read));
    const uint64_t size = must(file->info()).size_bytes;
    BatchScanner scanner(*file);
    while (const auto batch = must(scanner.next(size))) starts.push_back(batch->position);
    for (uint64_t at = 0; at < size; ++at) {
      for (const uint8_t mask : kMasks) {
        flip_bits(l.env.files, path, at, mask);
        std::optional<Fault> first;
        must(verify_log(*l.log, [&](const Fault& fault) {
          if (!first) first = fault;
        }));
        flip_bits(l.env.files, path, at, mask);
        const uint64_t start = *std::prev(std::upper_bound(starts.begin(), starts.end(), at));
        if (!first)
          FAIL_CHECK(path, " @ ", at, " ^ ", int{mask}, ": not found");
        else if (first->path != path || first->position != start)
          FAIL_CHECK(path, " @ ", at, ": ", first->position, first->reason);
      }
    }
  }
  CHECK(faults_of(*l.log) == "");
}

TEST_CASE("log_verify: every flipped byte of an index is found") {
  VerifiedLog l;
  int64_t checked = 0;
  for (const Offset base : l.bases) {
    for (const std::string& path : {l.partition.offset_index(base.value), l.partition.time_index(base.value)}) {
      for (uint64_t at = 0; at < size_of(l.env.files, path); ++at) {
        for (const uint8_t mask : kMasks) {
          flip_bits(l.env.files, path, at, mask);
          if (faults_of(*l.log).find(names::last_component(path)) == std::string::npos) FAIL_CHECK(path, " @ ", at);
          flip_bits(l.env.files, path, at, mask);
          ++checked;
        }
      }
    }
  }
  CHECK(checked > 200);
}

TEST_CASE("log_verify: says what is wrong, where, and with which offsets") {
  const struct {
    const char* name;
    void (*spoil)(VerifiedLog&);
    std::string fault;
  } rows[] = {
      {"a record", [](VerifiedLog& l) { flip_bits(l.env.files, l.partition.log_file(), 65); },
       "00000000000000000000.log:0 offset 0: damaged batch: CRC does not match\n"},
      {"the epoch", [](VerifiedLog& l) { flip_bits(l.env.files, l.partition.log_file(), 15, 2); },
       "00000000000000000000.log:0 offset 0: batch has leader epoch 2 where 0 was expected\n"},
      {"the base offset", [](VerifiedLog& l) { flip_bits(l.env.files, l.partition.log_file(), 7, 4); },
       "00000000000000000000.log:0 offset 0: batch has base offset 4 where 0 was expected\n"},
      {"a lost index", [](VerifiedLog& l) { must(l.env.files.unlink(l.partition.offset_index())); },
       "00000000000000000000.index:0 offset 0: cannot open"},
      {"a lost epoch checkpoint",
       [](VerifiedLog& l) { must(l.env.files.unlink(names::epoch_checkpoint(l.partition.directory()))); },
       "leader-epoch-checkpoint:0 offset 0: missing or malformed\n"},
      {"a lost segment", [](VerifiedLog& l) { must(l.env.files.unlink(l.partition.log_file(l.bases[1].value))); },
       " are missing before this segment\n"},
      {"a lost active segment",
       [](VerifiedLog& l) { must(l.env.files.unlink(l.partition.log_file(l.bases[2].value))); }, " are missing\n"},
      {"an active segment cut short",
       [](VerifiedLog& l) {
         const std::string path = l.partition.log_file(l.bases[2].value);
         must(must(l.env.files.open(path, OpenMode::write))->truncate(size_of(l.env.files, path) - 1));
       },
       "damaged batch: the file is shorter than its log\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    VerifiedLog l;
    row.spoil(l);
    const std::string faults = faults_of(*l.log);
    CAPTURE(faults);
    CHECK(faults.find(row.fault) != std::string::npos);
  }
}

TEST_CASE("log_verify: goes on behind damage, and reports each once") {
  VerifiedLog l;
  flip_bits(l.env.files, l.partition.log_file(0), 65);
  flip_bits(l.env.files, l.partition.log_file(l.bases[1].value), 65);
  const VerifyTotals totals = must(verify_log(*l.log, [](const Fault&) {}));
  CHECK(totals.faults <= 4);  // two batches, and the index entries that name them
  CHECK(totals.batches == 22);
  CHECK(totals.segments == 3);
}

TEST_CASE("log_verify: records that do not fit their batch are found though its CRC fits") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  TestBatch batch({"a", "b"});
  const auto bytes = batch.bytes();
  store_big_endian<int32_t>(bytes.data() + 57, 1);  // one record less than there are
  store_big_endian(bytes.data() + 17, crc32c(bytes.subspan(kBatchCrcStart)));
  must(log->append(bytes, env.soon()));
  CHECK(faults_of(*log) ==
        "00000000000000000000.log:0 offset 0: record 1 of the batch at offset 0: bytes after the last record\n");
}

TEST_CASE("log_verify: a log in use, with a dead writer's tail, is not faulty") {
  VerifiedLog l;
  const std::string path = l.partition.log_file(l.bases.back().value);
  must(must(l.env.files.open(path, OpenMode::write))->write_at(size_of(l.env.files, path), as_bytes("tail")));
  CHECK(faults_of(*l.log) == "");
}

TEST_CASE("log_verify: a producer's sequences ascend, with gaps and around 2^31; others are faults") {
  const auto faults_after = [](const std::vector<ProducerStamp>& stamps) {
    TestEnv env;
    TestPartition partition(env);
    const auto log = partition.open();
    for (const auto& stamp : stamps) must(log->append(TestBatch({"a", "b"}).bytes(stamp), env.soon()));
    return faults_of(*log);
  };
  CHECK(faults_after({{7, 0, 0}, {8, 0, 0}, {7, 0, 2}, {}, {7, 0, 10}, {8, 0, 2}}) == "");
  CHECK(faults_after({{7, 0, INT32_MAX - 1}, {7, 0, 0}}) == "");  // as Kafka's clients go on
  CHECK(faults_after({{7, 0, INT32_MAX}, {7, 0, 1}}) == "");      // wraps inside the batch
  CHECK(faults_after({{7, 0, INT32_MAX - 1}, {7, 1, 0}}) == "");  // as ours do
  CHECK(faults_after({{7, 1, 0}, {7, 0, 2}})
            .find("offset 2: sequence 2 (epoch 0) of producer 7 follows its sequence 1 (epoch 1)") !=
        std::string::npos);
  CHECK(faults_after({{7, 0, 0}, {7, 0, 0}}).find("sequence 0 (epoch 0) of producer 7") != std::string::npos);
  CHECK(faults_after({{7, 0, 4}, {7, 0, 5}}).find("sequence 5 (epoch 0) of producer 7") != std::string::npos);
}
