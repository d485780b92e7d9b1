#include "core/local/admin.h"

#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/support/test_log.h"

using namespace pg;

TEST_CASE("admin: a partition is described without reading its records") {
  TestHome t;
  const TopicMetadata topic = t.create("t", 2, {{"segment.bytes", "1024"}});
  const auto log = t.log("t", 1);
  append_numbers(*log, 0, 40);
  must(log->flush(t.env.soon()));
  append_numbers(*log, 40, 2);
  const PartitionDescription one = must(describe_partition(*t.home, topic, PartitionId(1), t.env.soon()));
  CHECK(one.partition == PartitionId(1));
  CHECK((one.metadata.leader == BrokerId(0)));
  CHECK(one.leader_epoch == LeaderEpoch(0));
  CHECK(one.log_start == Offset(0));
  CHECK(one.log_end == Offset(42));
  CHECK(one.high_watermark == Offset(42));
  CHECK(one.flushed == Offset(40));
  CHECK(one.segments == 3);
  CHECK(one.bytes > 42 * 60);
  const PartitionDescription empty = must(describe_partition(*t.home, topic, PartitionId(0), t.env.soon()));
  CHECK(empty.log_end == Offset(0));
  CHECK(empty.segments == 1);
  CHECK(empty.bytes == 0);
  CHECK(code_of(describe_partition(*t.home, topic, PartitionId(2), t.env.soon())) == Errc::not_found);
}
