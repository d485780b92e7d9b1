// The one program of all unit tests. `unit_tests --help` says how to choose some of them.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>

#include "tests/support/seeded_random.h"

int main(int argc, char** argv) {
  std::printf("seed %" PRIu64 " (PG_SEED=%" PRIu64 " repeats this run)\n", pg::test_seed(), pg::test_seed());
  std::fflush(stdout);
  std::signal(SIGPIPE, SIG_IGN);
  return doctest::Context(argc, argv).run();
}
