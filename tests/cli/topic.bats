load helper

@test "create, list, describe, offsets, delete" {
  pg-topic create b --partitions 3 -c segment.bytes=4096 -c message.timestamp.type=LogAppendTime
  pg-topic create a
  pg-topic create _internal
  [ "$(pg-topic list)" = $'a\nb' ]
  [ "$(pg-topic list --internal)" = $'_internal\na\nb' ]
  [ "$(pg-topic list --json | jq -r .topic)" = $'a\nb' ]
  seq 7 | pg-produce -p 1 b
  [ "$(pg-topic offsets b)" = $'b\t0\t0\t0\nb\t1\t0\t7\nb\t2\t0\t0' ]
  [ "$(pg-topic describe --json b | jq -c '[.topic,.config,(.partitions|length),.partitions[1].log_end_offset,.partitions[1].flushed_offset,.partitions[1].isr]')" \
    = '["b",{"message.timestamp.type":"LogAppendTime","segment.bytes":"4096"},3,7,7,[0]]' ]
  [ "$(pg-consume --json -n 1 b | jq -r .timestamp_type)" = log_append ]
  pg-topic delete -y a b
  [ -z "$(pg-topic list)" ]
  [ "$(find "$PG_HOME/brokers/0" -name '[ab]-*' | wc -l)" -eq 0 ]
}

@test "create refuses an existing topic, unless told otherwise; --dry-run makes nothing" {
  [ "$(pg-topic create --dry-run t)" = "would create 't' with 1 partitions" ]
  [ -z "$(pg-topic list)" ]
  pg-topic create t
  fails 1 "*exists already*" pg-topic create t
  pg-topic create --if-not-exists --partitions 5 t
  [ "$(pg-topic offsets t | wc -l)" -eq 1 ]
}

@test "--help-configs names every topic config with its values and its default, and needs no topic" {
  local name command
  for command in create alter; do
    pg-topic $command --help-configs >help
    # An unknown config's message lists those that there are.
    run --separate-stderr pg-topic create -c nosuch=1 t
    for name in $(sed 's/.*known are //; s/,//g' <<<"$stderr"); do
      grep -qx "$name" help
    done
    [ "$(grep -c '^  Values: .* Default: .*\.$' help)" -eq "$(grep -cv '^  ' help)" ]
    [ "$(grep -cv '^  ' help)" -ge 15 ]
    run ! grep -F '*' help
  done
  [ ! -e "$PG_HOME" ]
  fails 2 "*missing operand*" pg-topic create
}

@test "many processes that create one topic at once make one" {
  local i
  for i in {1..20}; do pg-produce t "$i" & done
  wait
  [ "$(pg-consume t | sort -n)" = "$(seq 20)" ]
  [ "$(find "$PG_HOME/brokers/0" -name 't-*' | wc -l)" -eq 1 ]
}

@test "a topic made again has none of the old records and another id" {
  seq 5 | pg-produce t
  local id
  id=$(pg-topic describe --json t | jq -r .topic_id)
  pg-topic delete -y t
  pg-topic create t
  [ -z "$(pg-consume t)" ]
  [ "$(pg-topic describe --json t | jq -r .topic_id)" != "$id" ]
  [ "$(cat "$PG_HOME/brokers/0/recovery-point-offset-checkpoint")" = $'0\n0' ]
}

@test "a topic deleted under a follower and under a producer ends both with exit 3" {
  pg-topic create t
  pg-consume -F t >/dev/null 2>follower.err &
  local follower=$!
  mkfifo input
  pg-produce t <input 2>producer.err &
  local producer=$!
  exec 9>input
  echo one >&9
  until_true eval '[ "$(pg-consume t)" = one ]'
  pg-topic delete -y t
  pg-topic create t
  echo two >&9
  exec 9>&-
  ends_with 3 $follower
  ends_with 3 $producer
  grep deleted follower.err
  grep -E "deleted|does not exist" producer.err
  [ -z "$(pg-consume t)" ]
}

@test "dump shows batches, records and index entries, also of a bare file" {
  pg-topic create t -c segment.bytes=1024 -c index.interval.bytes=100
  local i
  for i in {1..40}; do echo "record number $i"; done | pg-produce --batch-bytes 150 t
  [ "$(pg-topic dump --json t | jq -s 'map(select(.type=="batch").count)|add')" -eq 40 ]
  [ "$(pg-topic dump --json t | jq -s 'map(select(.type=="segment"))|length')" -gt 1 ]
  [ "$(pg-topic dump --json --records t | jq -r 'select(.type=="record").value')" = "$(pg-consume t)" ]
  [ "$(pg-topic dump --json --index t | jq -s 'map(select(.type=="index"))|length')" -gt 4 ]
  pg-topic dump --json -o 10:20 --records t | jq -r 'select(.type=="record").offset' | cmp - <(seq 10 19)
  [ "$(pg-topic dump --json -n 3 t | jq -s 'map(select(.type=="batch"))|length')" -eq 3 ]
  cp "$(log t)" copy.log
  [ "$(pg-topic dump --json copy.log | jq -s 'map(select(.type=="batch"))|length')" -gt 1 ]
  [ "$(pg-topic dump ./copy.log | head -1 | cut -d' ' -f1)" = segment ]
}

@test "control characters reach no terminal through dump" {
  pg-produce t $'\e[31mred\a'
  [ "$(pg-topic dump --records t | grep -c $'\e')" -eq 0 ]
  pg-topic dump --records t | grep -F '\x1b[31mred\x07'
}
