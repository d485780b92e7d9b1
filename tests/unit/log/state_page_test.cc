#include "core/log/state_page.h"

#include <bit>
#include <thread>
#include <vector>

#include "tests/support/printing.h"

using namespace pg;

namespace {

// A position whose every field tells which publication it is from.
LogPosition position_number(int64_t n) {
  return {Offset(n), n + 1, Offset(n + 2), Offset(n + 3), n + 4,  n + 5,
          n + 6,     n + 7, Offset(n + 8), n + 9,         n + 10, n + 11};
}

bool is_whole(const LogPosition& p) {
  const LogPosition whole = position_number(p.active_segment.value);
  return std::bit_cast<std::array<int64_t, 12>>(p) == std::bit_cast<std::array<int64_t, 12>>(whole);
}

}  // namespace

TEST_CASE("state_page: what is published is read, and a new page is all zeros") {
  StatePage page{};
  CHECK(read_position(page).log_end == Offset(0));
  for (int64_t n = 1; n < 5; ++n) {
    publish(page, position_number(n));
    CHECK(page.sequence == static_cast<uint64_t>(n));
    CHECK(read_position(page).active_segment == Offset(n));
    CHECK(is_whole(read_position(page)));
  }
}

TEST_CASE("state_page: a writer that died before its last store has published nothing") {
  StatePage page{};
  publish(page, position_number(1));
  const uint64_t sequence = page.sequence;
  publish(page, position_number(2));
  page.sequence = sequence;  // as if the store had never come
  CHECK(read_position(page).active_segment == Offset(1));
  CHECK(is_whole(read_position(page)));
  publish(page, position_number(3));
  CHECK(is_whole(read_position(page)));
}

TEST_CASE("state_page: any bit of the position that is changed is noticed") {
  StatePage page{};
  CHECK_FALSE(is_position_whole(page));
  for (int64_t n = 0; n < 2; ++n) {
    publish(page, position_number(n));
    StatePage::Copy& live = page.copies[page.sequence & 1];
    std::vector<StatePage::Word*> words{&page.sequence, &live.check};
    for (size_t i = 0; i < sizeof(LogPosition) / sizeof(uint64_t); ++i) words.push_back(&live.field[i]);
    for (auto* word : words) {
      for (int bit = 0; bit < 64; ++bit) {
        *word ^= uint64_t{1} << bit;
        CHECK_FALSE(is_position_whole(page));
        *word ^= uint64_t{1} << bit;
      }
    }
    CHECK(is_position_whole(page));
  }
}

TEST_CASE("state_page: readers never see a mixture of two publications, nor time going back") {
  StatePage page{};
  publish(page, position_number(0));
  constexpr int64_t kPublications = 50'000;
  std::atomic<int> mixed = 0, went_back = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      for (int64_t last = 0; last < kPublications;) {
        const LogPosition seen = read_position(page);
        if (!is_whole(seen)) ++mixed;
        if (seen.active_segment.value < last) ++went_back;
        last = seen.active_segment.value;
      }
    });
  }
  for (int64_t n = 1; n <= kPublications; ++n) publish(page, position_number(n));
  for (auto& reader : readers) reader.join();
  CHECK(mixed == 0);
  CHECK(went_back == 0);
}
