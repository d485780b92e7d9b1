// Reads "PARTITION OFFSET NUMBER" lines, a partition's in the order of its offsets, as pg-consume -f '%p %o %v\n'
// prints them. Prints how many records there are, how many different numbers below N they have, how many have one below
// N, and at how many places offsets do not follow one another from 0; then a line "PARTITION NEXT_OFFSET" for each
// partition. For failover, whose full speed is too much for Python. Usage: count_numbers N
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const uint64_t numbers = std::strtoull(argv[1], nullptr, 10);
  std::vector<bool> seen(numbers);
  std::map<uint64_t, uint64_t> next;
  uint64_t records = 0, distinct = 0, below = 0, gaps = 0;
  char line[128];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    char* at = line;
    const uint64_t partition = std::strtoull(at, &at, 10), offset = std::strtoull(at, &at, 10),
                   number = std::strtoull(at, &at, 10);
    if (*at != '\n') {
      std::fprintf(stderr, "count_numbers: not a line of three numbers: %s\n", line);
      return 1;
    }
    ++records;
    gaps += next[partition] != offset;
    next[partition] = offset + 1;
    if (number >= numbers) continue;
    ++below;
    distinct += !seen[number];
    seen[number] = true;
  }
  std::printf("%lu %lu %lu %lu\n", records, distinct, below, gaps);
  for (const auto& [partition, end] : next) std::printf("%lu %lu\n", partition, end);
  return 0;
}
