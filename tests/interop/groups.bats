#!/usr/bin/env bats
# decode_groups, the other reader of group records, on bytes that are written down: those of the unit tests, and Kafka's
# older versions. PG_BIN names the folder of the tools.

bats_require_minimum_version 1.5.0

setup() {
  PATH=${PG_BIN:?PG_BIN must name the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  decode=$BATS_TEST_DIRNAME/decode_groups
  log=$PG_HOME/brokers/0/t-0/00000000000000000000.log
  cd "$BATS_TEST_TMPDIR" || return
}

# produce KEY VALUE: a record of these bytes, in hex text with spaces; value "null": none
produce() {
  local key value=null
  key=$(xxd -r -p <<<"${1// /}" | base64 -w 0)
  [[ $2 == null ]] || value=$(xxd -r -p <<<"${2// /}" | base64 -w 0 | jq -cR '{base64: .}')
  echo "{\"key\":{\"base64\":\"$key\"},\"value\":$value}" | pg-produce --json t
}

golden() { tr -d '\n' <"$BATS_TEST_DIRNAME/../golden/$1.hex"; }

# decoded [OPTION...]: what it prints is standard input, but for the order of the fields
decoded() { diff <(jq -Sc .) <("$decode" "$@" "$log" | jq -Sc .); }

group_key='0002 0001 67'
offset_key='0001 0001 67 0001 74 00000005'

@test "what the unit tests say that we write" {
  produce "$(golden group_offset_key)" "$(golden group_offset)"
  produce "$(golden group_key)" "$(golden group_metadata)"
  decoded <<'END'
{"type":"offset","group":"nightly","topic":"orders-eu","partition":11,"offset":1099511627783,"leader_epoch":3,"metadata":"by hand","timestamp":1732320000123}
{"type":"group","group":"nightly","generation":42,"protocol":"sticky","leader":"m-1","timestamp":1732320000456,"members":[
  {"id":"m-1","client_id":"pg-consume-17","client_host":"/127.0.0.1","session_timeout":10000,"topics":["orders","bills"],
   "process":{"slot":5,"pid":1234,"pid_namespace":4026531836,"start_time":9223372036854775808},"assignment":{"bills":[0],"orders":[0,2]}},
  {"id":"m-2","client_id":"","client_host":"","session_timeout":6000,"topics":["orders"],"process":null,"assignment":{}}]}
END
}

@test "Kafka's older versions" {
  local consumer='0008 636f6e73756d6572' member='0001 6d' ids='0001 63 0001 68' timeout='00000fff'
  local bytes='0000000d 0000 00000001 0001 74 ffffffff 00000019 0000 00000001 0001 74 00000002 00000000 00000001 ffffffff'
  produce '0000 0001 67 0001 74 00000005' '0000 000000000000002a 0001 6e 0000000000000100'
  produce "$offset_key" '0001 000000000000002a 0001 6e 0000000000000100 0000000000000999'
  produce "$offset_key" '0002 000000000000002a 0001 6e 0000000000000100'
  produce "$group_key" "0000 $consumer 00000009 ffff ffff 00000001 $member $ids 00000100 $bytes"
  produce "$group_key" "0001 $consumer 00000009 ffff ffff 00000001 $member $ids $timeout 00000100 $bytes"
  produce "$group_key" "0002 $consumer 00000009 ffff ffff ffffffffffffffff 00000001 $member $ids $timeout 00000100 $bytes"
  produce "$group_key" "0003 $consumer 00000009 ffff ffff ffffffffffffffff 00000001 $member 0001 78 $ids $timeout 00000100 $bytes"
  {
    for _ in 0 1 2; do
      echo '{"type":"offset","group":"g","topic":"t","partition":5,"offset":42,"leader_epoch":-1,"metadata":"n","timestamp":256}'
    done
    for _ in 0 1 2 3; do
      echo '{"type":"group","group":"g","generation":9,"protocol":null,"leader":null,"timestamp":-1,"members":[{"id":"m",
        "client_id":"c","client_host":"h","session_timeout":256,"topics":["t"],"process":null,"assignment":{"t":[0,1]}}]}'
    done
  } | decoded
}

@test "what is deleted, and what is last said of each" {
  committed() { echo "0003 000000000000000$1 ffffffff 0000 0000000000000100"; }
  for n in 1 2 3; do produce "$offset_key" "$(committed $n)"; done
  produce '0001 0001 67 0001 75 00000000' "$(committed 9)"
  produce '0001 0001 67 0001 75 00000000' null
  produce "$group_key" '0003 0008 636f6e73756d6572 00000007 ffff ffff 0000000000000100 00000000'
  run -0 --separate-stderr bash -c "'$decode' '$log' | jq -r '.offset, .deleted'"
  [[ $output == $'1\nnull\n2\nnull\n3\nnull\n9\nnull\nnull\ntrue\nnull\nnull' ]]
  decoded --last <<'END'
{"type":"offset","group":"g","topic":"t","partition":5,"offset":3,"leader_epoch":-1,"metadata":"","timestamp":256}
{"type":"group","group":"g","generation":7,"protocol":null,"leader":null,"timestamp":256,"members":[]}
END
}

@test "bytes that are not what the schemas say" {
  local value
  value=$(golden group_metadata)
  produce "$group_key" "$value"
  "$decode" "$log"
  refused() { # KEY VALUE WHY
    pg-topic delete -y t
    produce "$1" "$2"
    run -1 "$decode" "$log"
    [[ $output == *"$log:0: offset 0: $3"* ]]
  }
  refused "$group_key" "${value}00" "1 bytes behind the group"
  refused "$group_key" "${value::-2}" "Buffer underrun"
  refused "$group_key" "0004 ${value:4}" "group of version 4"
  refused "${group_key}00" "$value" "1 bytes behind the key"
  refused '0003 0001 67' "$value" "key of version 3"
  refused "$offset_key" "$value" ""
  refused "$offset_key" '0004 000000000000002a' "committed offset of version 4"
}

# describes GROUP: its own account, as decode_groups has it: generation, committed offsets, and who is assigned what
describes() {
  pg-group describe --json "$1" | jq -Sc '{generation, offsets: [.partitions[] | {topic, partition, offset: .committed_offset, leader_epoch}],
    members: [.members[] | {id: .member, client_id, session_timeout: .session_timeout_ms, pid,
      assignment: (reduce .assignment[] as $a ({}; .[$a.topic] += [$a.partition]))}]}'
}
# decodes GROUP: the same from the log of __consumer_offsets
decodes() {
  "$decode" --last "$PG_HOME"/brokers/0/__consumer_offsets-0/*.log | jq -Sc -s --arg group "$1" 'map(select(.group == $group and .deleted != true)) |
    {generation: (map(select(.type == "group"))[0].generation),
     offsets: map(select(.type == "offset") | {topic, partition, offset, leader_epoch}) | sort_by(.topic, .partition),
     members: ((map(select(.type == "group"))[0].members // []) | map({id, client_id, session_timeout, pid: .process.pid, assignment}))}'
}
agrees() { [ "$(describes "$1")" = "$(decodes "$1")" ]; }

@test "groups of the tools: python3-kafka's decoding says what pg-group describe says, while members live and afterwards" {
  pg-topic create t --partitions 5
  pg-topic create u --partitions 2
  seq 1000 | pg-produce --partitioner round-robin t
  seq 30 | pg-produce --partitioner round-robin u
  local assignor members=() i
  for assignor in range round-robin sticky; do
    members=()
    for i in 1 2 3; do
      pg-consume -F -g "$assignor" --assignor "$assignor" --session-timeout 9s t u >/dev/null 3>&- &
      members+=($!)
    done
    until [ "$(pg-group describe --json "$assignor" 2>/dev/null | jq '.members | length')" = 3 ] &&
      [ "$(pg-group lag "$assignor")" = 0 ]; do sleep 0.05; done
    agrees "$assignor"
    [ "$(decodes "$assignor" | jq -c '[.members[].pid] | sort')" = "$(jq -nc '$ARGS.positional | map(tonumber) | sort' --args "${members[@]}")" ]
    kill -KILL "${members[0]}"
    kill "${members[1]}"
    until [ "$(pg-group describe --json "$assignor" | jq '.members[0].assignment | length')" = 7 ]; do sleep 0.05; done
    agrees "$assignor"
    kill "${members[2]}"
    wait "${members[@]}" || true
    agrees "$assignor"
    [ "$(decodes "$assignor" | jq '.offsets | map(.offset) | add')" = 1030 ]
  done
  pg-group seek range 10 t:3 u >/dev/null
  pg-group delete-offsets --yes range t:1 >/dev/null
  agrees range
  pg-group delete --yes sticky
  run ! pg-group describe sticky
  [ "$(decodes sticky | jq -c .offsets)" = '[]' ]
}
