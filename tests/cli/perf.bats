#!/usr/bin/env bats
# perf/grown: what perf/run says about instructions, from histories that nobody had to measure.
# shellcheck disable=SC2154 # run assigns stderr

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  : >history
}

measured() { echo "{\"date\":\"now\",\"commit\":\"$3\",\"row\":\"$1\",\"instructions\":$2}" >>history; } # ROW INSTRUCTIONS COMMIT

grown() { run --separate-stderr "$1" "$BATS_TEST_DIRNAME/../../perf/grown" history; } # STATUS, as `run` takes it

@test "instructions that grew by more than 10 % are named, and exit is 8" {
  measured produce 500 old
  measured consume 400.5 old
  measured produce 556.5 new
  measured consume 400.5 new
  grown -8
  [[ $stderr == "produce grew by 11 %: 500 at old, 556.5 at new" && $output == "" ]]
}

@test "what grew by no more, or got fewer, is not named" {
  measured produce 500 old
  measured consume 400.5 old
  measured produce 550 new
  measured consume 200 new
  grown -0
  [[ $stderr == "" && $output == "" ]]
}

@test "the newest line is compared with the one before it, whatever was measured between" {
  measured produce 500 oldest
  measured produce 700 old
  measured consume 400 old
  echo '{"date":"now","commit":"old","row":"replay","ratio":2.5}' >>history
  measured produce 710 new
  grown -0
  measured produce 900 newer
  grown -8
  [[ $stderr == "produce grew by 27 %: 710 at new, 900 at newer" ]]
}

@test "a history without two lines of a row says nothing" {
  grown -0
  measured produce 500 old
  grown -0
  [[ $stderr == "" ]]
}

@test "a history that cannot be read is not one in which nothing grew" {
  echo 'half a li' >>history
  run ! "$BATS_TEST_DIRNAME/../../perf/grown" history
  run ! "$BATS_TEST_DIRNAME/../../perf/grown" none
}
