#!/usr/bin/env bats
# Avro as core/schema has it, and python3-avro: the same bytes, the same values, the same verdicts. PG_SEED=N repeats a run.

setup() {
  PATH=${PG_BIN:?PG_BIN must name the folder of the tools}:$PATH
  seed=${PG_SEED:-$RANDOM$RANDOM}
  echo "seed $seed"
}

@test "both write the same bytes, and each reads what the other wrote" {
  "$BATS_TEST_DIRNAME"/compare_avro.py codec "$seed" 2000
}

@test "both agree which schema can read what was written with which" {
  "$BATS_TEST_DIRNAME"/compare_avro.py resolution "$seed" 2000
}
