#!/usr/bin/env bats
# Avro as core/schema has it, and python3-avro: the same bytes, the same values, the same verdicts. PG_SEED=N repeats a run.

setup() {
  PATH=${PG_BIN:?PG_BIN must name the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  frames=$BATS_TEST_DIRNAME/avro_frames.py
  cd "$BATS_TEST_TMPDIR" || return
  seed=${PG_SEED:-$RANDOM$RANDOM}
  echo "seed $seed"
}

@test "both write the same bytes, and each reads what the other wrote" {
  "$BATS_TEST_DIRNAME"/compare_avro.py codec "$seed" 2000
}

@test "both agree which schema can read what was written with which" {
  "$BATS_TEST_DIRNAME"/compare_avro.py resolution "$seed" 2000
}

book='{"type":"record","name":"shop.Book","fields":[
  {"name":"title","type":"string"},
  {"name":"price","type":"double","default":1},
  {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["PAPER","FILE"]}},
  {"name":"tags","type":["null",{"type":"array","items":"string"}],"default":null}]}'

# What python3-avro has, where what a branch of a union is called does not show
plain='{"title": "caf\u00e9", "price": 12.5, "kind": "FILE", "tags": ["a", "b"]}
{"title": "x", "price": 1.0, "kind": "PAPER", "tags": null}'

@test "python3-avro reads what pg-schema encode wrote" {
  echo "$book" >book.avsc
  pg-schema register books-value book.avsc --type avro
  printf '%s\n' '{"title":"café","price":12.5,"kind":"FILE","tags":{"array":["a","b"]}}' '{"kind":"PAPER","title":"x"}' |
    pg-schema encode books-value >encoded
  [ "$("$frames" read book.avsc <encoded)" = "$plain" ]
}

@test "pg-schema decode and pg-consume --schema read what python3-avro wrote" {
  echo "$book" >book.avsc
  id=$(pg-schema register books-value book.avsc --type avro)
  "$frames" write book.avsc "$id" <<<"$plain" >written
  expected='{"title":"café","price":12.5,"kind":"FILE","tags":{"array":["a","b"]}}
{"title":"x","price":1.0,"kind":"PAPER","tags":null}'
  [ "$(pg-schema decode <written)" = "$expected" ]
  pg-produce --framing len32be books <written
  [ "$(pg-consume --schema books)" = "$expected" ]
}
