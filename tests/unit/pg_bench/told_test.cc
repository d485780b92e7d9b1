#include "tools/pg-bench/told.h"

#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("told: what was acknowledged must be read, once, where it was put, and nothing else") {
  const TopicPartition partition{"t", PartitionId(2)};
  const std::vector<ToldRecord> acknowledged{{5, 0}, {6, 1}, {7, 2}};
  CHECK(compare_told(partition, {}, {}));
  CHECK(compare_told(partition, acknowledged, acknowledged));
  struct Row {
    const char* what;
    std::vector<ToldRecord> read;
    const char* offset;
  };
  const Row rows[] = {
      {"lost at the end", {{5, 0}, {6, 1}}, "offset 7"},       {"lost in the middle", {{5, 0}, {7, 2}}, "offset 6"},
      {"twice", {{5, 0}, {6, 1}, {7, 2}, {8, 2}}, "offset 8"}, {"another record", {{5, 0}, {6, 3}, {7, 2}}, "offset 6"},
      {"elsewhere", {{4, 0}, {6, 1}, {7, 2}}, "offset 4"},     {"nothing", {}, "offset 5"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto compared = compare_told(partition, acknowledged, row.read);
    REQUIRE(!compared);
    CHECK(compared.error().code == Errc::conflict);
    CHECK(compared.error().message().find("'t-2'") != std::string::npos);
    CHECK(compared.error().message().find(row.offset) != std::string::npos);
  }
}
