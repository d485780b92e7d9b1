# Many processes at once, and processes that die. PG_LONG=1 runs them whole.

setup() {
  if [[ -n ${PG_LONG:-} ]]; then records=200000 kills=200; else records=20000 kills=20; fi
}

@test "8 producers and 4 followers on one partition: every record once, in each producer's order" {
  "$BATS_TEST_DIRNAME/many_writers" "$records"
}

@test "8 producers and 4 followers on 12 partitions: every record once, in each key's order" {
  "$BATS_TEST_DIRNAME/many_writers" "$records" 12
}

@test "producers that are killed at random moments leave every reported batch where they reported it" {
  "$BATS_TEST_DIRNAME/kill_producers" "$kills"
}
