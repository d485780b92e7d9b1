#include "core/log/offset_map.h"

#include <map>

#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

TEST_CASE("offset_map: agrees with a map of the standard library, whatever the keys") {
  SeededRandom random;
  OffsetMap offsets(random, 1 << 20);
  std::map<std::string, Offset> model;
  for (int64_t n = 0; n < 20'000; ++n) {
    const std::string key = random.bytes(random.below(3));
    REQUIRE(offsets.put(key, Offset(n)));
    model[key] = Offset(n);
  }
  CHECK(offsets.size() == model.size());
  for (const auto& [key, offset] : model) REQUIRE(offsets.find(key) == offset);
  CHECK(!offsets.find("no such key"));
  offsets.clear();
  CHECK(offsets.size() == 0);
  CHECK(!offsets.find(model.begin()->first));
}

TEST_CASE("offset_map: takes no more keys than it has memory for, and goes on with those it has") {
  SeededRandom random;
  OffsetMap offsets(random, 4096 * 24);
  int64_t taken = 0;
  while (offsets.put(std::to_string(taken), Offset(taken))) ++taken;
  CHECK(taken == 3072);
  CHECK(!offsets.put("one more", Offset(taken)));
  CHECK(offsets.put("7", Offset(taken)));
  CHECK(offsets.find("7") == Offset(taken));
  CHECK(offsets.find("8") == Offset(8));
  CHECK(!offsets.find("one more"));
}
