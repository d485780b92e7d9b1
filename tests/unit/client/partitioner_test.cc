#include "core/local/partitioner.h"

#include <map>

#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

TEST_CASE("partitioner: murmur2 is Kafka's") {
  // From Kafka's UtilsTest.java.
  const std::pair<const char*, int32_t> rows[] = {{"21", -973932308},
                                                  {"foobar", -790332482},
                                                  {"a-little-bit-long-string", -985981536},
                                                  {"a-little-bit-longer-string", -1486304829},
                                                  {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                                                  {"abc", 479470107}};
  for (const auto& [key, hash] : rows) {
    CAPTURE(key);
    CHECK(static_cast<int32_t>(murmur2(key)) == hash);
  }
}

TEST_CASE("partitioner: crc32 is zlib's") {
  CHECK(crc32("") == 0);
  CHECK(crc32("123456789") == 0xcbf43926);
  CHECK(crc32(std::string(32, '\xff')) == 0xff6cab0b);
}

TEST_CASE("partitioner: keys go where the existing clients put them") {
  SeededRandom random;
  Partitioner murmur(PartitionerKind::murmur2, 10, random), crc(PartitionerKind::crc32, 10, random);
  // toPositive clears the sign bit: -973932308 becomes 1173551340.
  CHECK(murmur.choose("21") == PartitionId(1173551340 % 10));
  CHECK(murmur.choose("abc") == PartitionId(479470107 % 10));
  CHECK(murmur.choose("") == PartitionId(static_cast<int32_t>((murmur2("") & 0x7fffffff) % 10)));
  CHECK(crc.choose("123456789") == PartitionId(static_cast<int32_t>(0xcbf43926u % 10)));
}

TEST_CASE("partitioner: one partition takes everything") {
  SeededRandom random;
  for (const auto kind : {PartitionerKind::murmur2, PartitionerKind::crc32, PartitionerKind::round_robin,
                          PartitionerKind::random, PartitionerKind::sticky}) {
    Partitioner partitioner(kind, 1, random);
    for (const std::optional<std::string_view> key :
         {std::optional<std::string_view>(), std::optional<std::string_view>("k")}) {
      CHECK(partitioner.choose(key) == PartitionId(0));
      partitioner.batch_sent(PartitionId(0));
    }
  }
}

TEST_CASE("partitioner: without a key murmur2 sticks to one partition until its batch is sent") {
  SeededRandom random;
  for (const auto kind : {PartitionerKind::murmur2, PartitionerKind::sticky}) {
    Partitioner partitioner(kind, 5, random);
    for (int round = 0; round < 50; ++round) {
      const PartitionId now = partitioner.choose({});
      CHECK(now.value >= 0);
      CHECK(now.value < 5);
      CHECK(partitioner.choose({}) == now);
      partitioner.batch_sent(PartitionId((now.value + 1) % 5));  // of another partition, by key: nothing changes
      CHECK(partitioner.choose({}) == now);
      partitioner.batch_sent(now);
      CHECK(partitioner.choose({}) != now);
    }
  }
}

TEST_CASE("partitioner: sticky minds no keys") {
  SeededRandom random;
  Partitioner partitioner(PartitionerKind::sticky, 5, random);
  CHECK(partitioner.choose("a") == partitioner.choose("b"));
}

TEST_CASE("partitioner: round-robin goes round, keys or not") {
  SeededRandom random;
  Partitioner partitioner(PartitionerKind::round_robin, 3, random);
  const PartitionId first = partitioner.choose({});
  for (int32_t n = 1; n < 10; ++n) {
    partitioner.batch_sent(PartitionId(n % 3));
    CHECK(partitioner.choose(n % 2 ? std::optional<std::string_view>("k") : std::nullopt) ==
          PartitionId((first.value + n) % 3));
  }
}

TEST_CASE("partitioner: random reaches every partition, and so does crc32 without a key") {
  SeededRandom random;
  for (const auto kind : {PartitionerKind::random, PartitionerKind::crc32}) {
    for (const std::optional<std::string_view> key :
         {std::optional<std::string_view>(), std::optional<std::string_view>("")}) {
      Partitioner partitioner(kind, 4, random);
      std::map<int32_t, int> counts;
      for (int i = 0; i < 400; ++i) ++counts[partitioner.choose(key).value];
      CHECK(counts.size() == 4);
      CHECK(counts.begin()->first == 0);
    }
  }
}

TEST_CASE("partitioner: names") {
  CHECK(parse_partitioner("murmur2") == PartitionerKind::murmur2);
  CHECK(parse_partitioner("crc32") == PartitionerKind::crc32);
  CHECK(parse_partitioner("round-robin") == PartitionerKind::round_robin);
  CHECK(parse_partitioner("random") == PartitionerKind::random);
  CHECK(parse_partitioner("sticky") == PartitionerKind::sticky);
  for (const char* name : {"", "Murmur2", "roundrobin", "murmur"}) CHECK_FALSE(parse_partitioner(name).has_value());
}
