#!/usr/bin/env bats
# What pg-produce writes, python3-kafka reads: each kind of segment is decoded by it, its indexes and text files are checked,
# and the records are compared with what pg-consume prints. PG_BIN names the folder of the tools.

setup() {
  PATH=${PG_BIN:?PG_BIN must name the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  decode=$BATS_TEST_DIRNAME/decode.py
  cd "$BATS_TEST_TMPDIR" || return
}

# agree TOPIC [RECORDS]: both readers see the same, and as many records as expected
agree() {
  pg-consume --json "$1" >consumed
  "$decode" --against consumed "$PG_HOME/brokers/0/$1"-*
  [[ -z ${2-} ]] || [[ $(wc -l <consumed) == "$2" ]]
}

stat_of() { # TOPIC FIELD
  "$decode" --stats "$PG_HOME/brokers/0/$1"-* | jq ".$2"
}

@test "plain lines" {
  seq 20000 | pg-produce t
  agree t 20000
}

@test "many small batches have index entries" {
  pg-topic create t -c index.interval.bytes=256
  seq 3000 | pg-produce --batch-bytes 256 t
  agree t 3000
  [[ $(stat_of t batches) -gt 30 ]]
  [[ $(stat_of t index) -gt 10 ]]
  [[ $(stat_of t timeindex) -ge 1 ]]
}

@test "one batch per process" {
  for i in 1 2 3 4 5 6 7 8 9 10; do echo "record $i" | pg-produce t; done
  agree t 10
  [[ $(stat_of t batches) -eq 10 ]]
}

@test "producer ids, epochs and sequences" {
  seq 5 | pg-produce --input-id x t
  seq 12 | pg-produce --input-id x t
  echo anonymous | pg-produce t
  agree t 13
  local id
  id=$(pg-topic dump --json t | jq -r 'select(.type=="batch").producer_id' | head -1)
  "$decode" --producers "$PG_HOME/brokers/0/t-0" | diff - <(printf '%s\n' "$id 0 0 5" "$id 0 5 7" "-1 -1 -1 1")
}

@test "keys" {
  seq 1000 | sed 's/.*/key &:value &/' | pg-produce -K : t
  agree t 1000
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se '.[999] | .key == "key 1000" and .value == "value 1000"'
}

@test "one key for all, an empty key, no key" {
  seq 5 | pg-produce -k same t
  seq 5 | pg-produce --key= t
  seq 5 | pg-produce t
  agree t 15
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se 'map(.key) == ["same","same","same","same","same","","","","","",null,null,null,null,null]'
}

@test "headers keep order, repeats and empty values" {
  seq 10 | pg-produce -H a=1 -H b= -H a=2 -H 'né=ö=ü' t
  agree t 10
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se '.[9].headers == [["a","1"],["b",""],["a","2"],["né","ö=ü"]]'
}

@test "null values" {
  printf 'k1:\nk2:v\nk3:\n' | pg-produce -K : -Z t
  agree t 3
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se 'map(.value) == [null,"v",null]'
}

@test "empty values" {
  printf '\n\nx\n\n' | pg-produce t
  agree t 4
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se 'map(.value) == ["","","x",""]'
}

@test "binary values" {
  head -c 200000 /dev/urandom >random
  pg-produce -d none t <random
  printf 'a\0b\nc\0\0\377\376\0' | pg-produce -0 t
  agree t 5
  cmp random <(pg-consume -n 1 -f %v t)
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se '.[1:] | map(.value) == ["a","b\nc","",{"base64":"//4="}]'
}

@test "JSON with bytes, nulls, headers and timestamps out of order" {
  cat >input <<'END'
{"key":"a","value":"1","timestamp":1732320000005}
{"key":null,"value":{"base64":"/wD+"},"timestamp":1732320000001,"headers":[["h",{"base64":"AP8="}],["n",null]]}
{"key":{"base64":"gA=="},"value":null,"timestamp":1732320000009}
{"value":"\u0000\n\u00e9\ud83d\ude00","timestamp":1732320000002}
END
  pg-topic create t -c index.interval.bytes=1
  pg-produce --json t <input
  for _ in 1 2 3; do pg-produce --json --batch-bytes 100 t <input; done
  agree t 16
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se '.[3].value == "\u0000\n\u00e9\ud83d\ude00" and .[1].headers[1] == ["n",null] and .[2].timestamp == 1732320000009'
}

@test "12 partitions, with and without keys" {
  pg-topic create t --partitions 12
  seq 5000 | sed 's/.*/k&:v&/' | pg-produce -K : t
  seq 5000 | pg-produce --partitioner round-robin t
  agree t 10000
  [[ $(find "$PG_HOME/brokers/0" -name 't-*' -type d | wc -l) == 12 ]]
}

@test "a topic that rolls many times" {
  pg-topic create t -c segment.bytes=16384 -c index.interval.bytes=1024
  seq 30000 | pg-produce --batch-bytes 1000 t
  agree t 30000
  [[ $(stat_of t segments) -gt 10 ]]
  [[ $(stat_of t timeindex) -ge 10 ]]
}

@test "a topic that rolls, timestamps going back" {
  pg-topic create t -c segment.bytes=16384 -c index.interval.bytes=512
  seq 9000 -1 1 | jq -c '{value: "value \(.)", timestamp: (1732320000000 + . % 700)}' | pg-produce --json --batch-bytes 1000 t
  agree t 9000
  [[ $(stat_of t segments) -gt 5 ]]
}

@test "LogAppendTime" {
  pg-topic create t -c message.timestamp.type=LogAppendTime
  before=$(date +%s%3N)
  jq -cn 'range(500) | {value: "v\(.)", timestamp: 1}' | pg-produce --json t
  agree t 500
  "$decode" "$PG_HOME/brokers/0/t-0" | jq -se "map(.timestamp_type == \"append\" and .timestamp >= $before) | all"
}

@test "a record of 900 KB among small ones" {
  head -c 675000 /dev/urandom | base64 -w 0 >large
  { echo first; cat large; echo; echo last; } | pg-produce t
  agree t 3
  cmp large <(pg-consume -o 1 -n 1 -f %v t)
}

@test "four writers at once, while segments roll" {
  pg-topic create t --partitions 2 -c segment.bytes=16384
  for writer in 1 2 3 4; do
    seq 2000 | sed "s/.*/writer $writer:&/" | pg-produce -K : --batch-bytes 500 t &
  done
  wait
  agree t 8000
}

@test "a compacted topic" {
  pg-topic create t -c cleanup.policy=compact -c segment.bytes=4096 -c min.cleanable.dirty.ratio=0
  seq 3000 | awk '{ print "k" $1 % 11 ":" $1 }' | pg-produce -K : --batch-bytes 300 t
  pg-produce -Z -k k4 t ''
  seq 300 | awk '{ print "other" $1 % 5 ":" $1 }' | pg-produce -K : --batch-bytes 300 t
  pg-topic compact t
  pg-consume --json t >consumed
  [[ $(wc -l <consumed) -lt 500 ]]
  "$decode" --compacted --against consumed "$PG_HOME/brokers/0/t-0"
}

@test "an empty topic" {
  pg-topic create t
  agree t 0
}

@test "the decoder finds a changed byte" {
  pg-topic create t -c index.interval.bytes=256
  seq 1000 | pg-produce --batch-bytes 500 t
  "$decode" --stats "$PG_HOME/brokers/0/t-0"
  for file in 00000000000000000000.log 00000000000000000000.index 00000000000000000000.timeindex leader-epoch-checkpoint partition.metadata; do
    path=$PG_HOME/brokers/0/t-0/$file
    cp "$path" saved
    # The first byte is never free to change in any of them.
    printf '\377' | dd of="$path" bs=1 conv=notrunc status=none
    run "$decode" --stats "$PG_HOME/brokers/0/t-0"
    [[ $status == 1 && $output == *"$file"* ]]
    cp saved "$path"
  done
  "$decode" --stats "$PG_HOME/brokers/0/t-0"
}

@test "transactions and the markers that end them" {
  pg-topic create t
  "$BATS_TEST_DIRNAME/../cli/make_transactions.py" "$PG_HOME/brokers/0/t-0/00000000000000000000.log" x a+1 a! b+2 y
  rm "$PG_HOME"/brokers/0/t-0/{partition.state,*index}
  pg-topic repair --abort-transactions --yes t
  "$decode" "$PG_HOME/brokers/0/t-0" >/dev/null
  /usr/bin/python3 - "$PG_HOME/brokers/0/t-0/00000000000000000000.log" >seen <<'PYTHON'
import sys
from kafka.record.memory_records import MemoryRecords
memory = MemoryRecords(open(sys.argv[1], "rb").read())
while memory.has_next():
    batch = memory.next_batch()
    print(batch.is_transactional, batch.is_control_batch, *[(r.key or b"").hex() for r in batch], batch._header_data[9:12])
PYTHON
  diff seen - <<'SEEN'
False False  (-1, -1, -1)
True False  (0, 0, 0)
True True 00000001 (0, 0, -1)
True False  (1, 0, 0)
False False  (-1, -1, -1)
True True 00000000 (1, 0, -1)
SEEN
}
