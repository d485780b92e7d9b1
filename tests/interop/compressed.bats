#!/usr/bin/env bats
# Compressed batches, both ways: python3-kafka reads what pg-produce compresses, and the tools read what python3-kafka does.
# PG_BIN names the folder of the tools.

bats_require_minimum_version 1.5.0

setup() {
  PATH=${PG_BIN:?PG_BIN must name the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  decode=$BATS_TEST_DIRNAME/decode.py
  encode=$BATS_TEST_DIRNAME/encode.py
  cd "$BATS_TEST_TMPDIR" || return
}

codecs_in() { pg-topic dump --json "$1" | jq -r 'select(.type == "batch").codec' | sort -u; }

# Keys, headers, nulls, empty values and bytes, 400 records
mixed_records() {
  seq 400 | jq -c '{key: (if . % 3 == 0 then null else "key \(. % 7)" end), timestamp: (1732320000000 + . * 7 % 1000),
    value: (if . % 10 == 0 then null elif . % 10 == 1 then "" elif . % 10 == 2 then {base64: "/wD+"} else "value \(.)" end),
    headers: (if . % 4 == 0 then [["source", "test"], ["n", null], ["source", "\(.)"]] else [] end)}'
}

# given CODEC: topic t, whose only segment is what python3-kafka made of the records in the file `records`
given() {
  pg-topic create t
  pg-topic verify t
  local partition=$PG_HOME/brokers/0/t-0
  rm "$partition"/partition.state "$partition"/*.index "$partition"/*.timeindex
  "$encode" "$1" <records >"$partition/00000000000000000000.log"
}

@test "python3-kafka reads every codec we write" {
  mixed_records >input
  seq 100000 >lines
  for codec in gzip snappy lz4 zstd; do
    pg-produce --json -z "$codec" "$codec" <input
    pg-produce -z "$codec" "$codec" <lines
    pg-consume --json "$codec" >consumed
    [[ $(wc -l <consumed) == 100400 ]]
    "$decode" --against consumed "$PG_HOME/brokers/0/$codec-0"
    [[ $(codecs_in "$codec") == "$codec" ]]
  done
}

@test "python3-kafka reads compressed batches with LogAppendTime" {
  for codec in gzip snappy lz4 zstd; do
    pg-topic create "$codec" -c message.timestamp.type=LogAppendTime
    seq 1000 | pg-produce -z "$codec" "$codec"
    pg-consume --json "$codec" >consumed
    "$decode" --against consumed "$PG_HOME/brokers/0/$codec-0"
    "$decode" "$PG_HOME/brokers/0/$codec-0" | jq -se 'all(.timestamp_type == "append") and length == 1000'
  done
}

@test "what python3-kafka compresses is read, and checked" {
  mixed_records >input
  pg-produce --json plain <input
  pg-consume --json plain >records
  for codec in gzip snappy lz4 zstd raw-snappy; do
    echo "$codec"
    given "$codec"
    diff <(jq -c 'del(.topic)' records) <(pg-consume --json t | jq -c 'del(.topic)')
    [[ $(codecs_in t) == "${codec#raw-}" ]]
    pg-topic dump --json --records t | jq -c 'select(.type == "record") | [.key, .value, .headers]' | diff <(jq -c '[.key, .value, .headers]' records) -
    pg-topic verify t
    [[ $(pg-consume -o 137 -n 1 --json t | jq .offset) == 137 ]]
    [[ $(pg-consume -o @1732320000994 -n 1 -f %T t) == 1732320000994 ]]
    # and the log goes on
    pg-produce -z "${codec#raw-}" t more
    [[ $(pg-consume -f %v -o 400 t) == more ]]
    pg-topic delete -y t
  done
}

@test "bytes that no codec wrote, under a checksum that fits, are damage: exit 6, named, and the rest is read" {
  seq 300 >lines
  pg-produce plain <lines
  pg-consume --json plain >records
  for codec in gzip snappy lz4 zstd; do
    given "cut-$codec"
    run -6 --separate-stderr pg-consume t
    [[ $stderr == *"the batch at offset 0 is $codec that cannot be decompressed"*"partition 0 of 't'"* ]]
    run -6 pg-topic verify t
    [[ ${#lines[@]} == 3 && ${lines[1]} == *"offset 100: the batch at offset 100 is $codec that cannot"* ]]
    run -6 pg-topic dump --records t
    [[ $output == *"the batch at offset 200 is $codec that cannot"* ]]
    pg-topic delete -y t
  done
}

@test "a bomb is refused in bounded memory: exit 7, and verify names it" {
  [ -z "${TEST_SANITIZER:-}" ] || skip "a sanitizer needs more memory than there is"
  pg-produce plain x
  pg-consume --json plain >records
  for codec in gzip lz4 zstd; do
    given "bomb-$codec"
    ulimit -v 1200000
    run -7 --separate-stderr pg-consume t
    [[ $stderr == *"it holds more than 268435456 bytes, the most that is read"* ]]
    run -6 pg-topic verify t
    [[ $output == *"it holds more than 268435456 bytes"* ]]
    pg-topic delete -y t
  done
}
