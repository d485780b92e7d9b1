#!/usr/bin/env bats
# Transactions of Kafka's producers, in files that came from Kafka: read by their outcome.

load helper

# from_kafka TOPIC WORD...: a topic whose log is what make_transactions.py writes
from_kafka() {
  pg-topic create "$1"
  "$BATS_TEST_DIRNAME/make_transactions.py" "$(log "$1")" "${@:2}"
  rm -f "$(partition "$1")"/partition.state "$(partition "$1")"/*index
}

hour=3600000

@test "consumers are given what was committed" {
  from_kafka t 0 a+1 b+no a+2 b? 3 a! c+no c^ c+4 c! a+5 a!
  diff <(pg-consume t) <(seq 0 5)
  diff <(pg-consume --isolation read_committed t) <(seq 0 5)
  [[ $(pg-consume --isolation read_uncommitted t | grep -c no) -eq 2 ]]
  [[ $(pg-consume --isolation read-uncommitted t | wc -l) -eq 8 ]]
  diff <(pg-consume -o 2 t) <(seq 2 5)
  [[ $(pg-consume -n 2 -o 2 t | tail -n 1) == 3 ]]
  diff <(pg-consume --last 2 t) <(seq 4 5)
  [[ $(pg-consume --exec 'cat; echo' t | wc -l) -eq 6 ]]
  fails 2 "*'none' is not one of read_committed, read_uncommitted*" pg-consume --isolation none t
  pg-topic verify t
}

@test "an open transaction ends the reading, with a notice, and ordinary records go on behind it" {
  from_kafka t 0 AGE:$((3 * hour)) c+open 1
  run --separate-stderr pg-consume t
  [ "$status" -eq 0 ]
  [ "$output" = 0 ]
  [[ $stderr == *"'t-0' can be read up to offset 1 only"*"producer 2 (epoch 0) since offset 1, open for 3 h"* ]]
  echo 2 | pg-produce t
  [ "$(pg-consume -q -o 2 t)" = "" ]
  [ "$(pg-consume -q --last 1 t)" = 0 ]
  [ "$(pg-consume -q -g g t)" = 0 ]
  [ "$(pg-group lag g)" -eq 0 ]
  pg-topic describe t | grep -q 'committed 4  stable 1 '
  [ "$(pg-topic offsets --json t | jq .last_stable_offset)" -eq 1 ]
  [ "$(pg-consume --isolation read_uncommitted t | wc -l)" -eq 4 ]
  pg-topic verify t
}

@test "a follower waits for the end of a transaction" {
  from_kafka t 0 c+open 1
  pg-consume -F t >out 2>err &
  local reader=$!
  until grep -q 0 out; do sleep 0.05; done
  pg-produce t 2
  pg-topic repair --abort-transactions --yes t
  until [[ $(wc -l <out) -eq 3 ]]; do sleep 0.05; done
  kill "$reader"
  wait "$reader" || true
  diff out <(seq 0 2)
}

@test "repair --abort-transactions lists, asks for --yes, and is not silent where there is nothing to do" {
  from_kafka t 0 AGE:$((3 * hour)) c+open b+open 1
  run --separate-stderr pg-topic repair --abort-transactions t
  [ "$status" -eq 2 ]
  [ "${#lines[@]}" -eq 2 ]
  [[ ${lines[0]} == $'t\t0\tproducer 2 (epoch 0) since offset 1, open for 3 h' ]]
  [[ $stderr == *"add --yes"* ]]
  [ "$(pg-consume -q t)" = 0 ]
  run --separate-stderr pg-topic repair --abort-transactions --yes --json t
  [ "$status" -eq 0 ]
  [ "$(jq -s 'length == 2 and .[1].producer_id == 1 and .[1].first_offset == 2' <<<"$output")" = true ]
  [[ $stderr == *"'t-0': aborted 2 transactions" ]]
  fails 0 "*no transaction is open" pg-topic repair --abort-transactions --yes t
  diff <(pg-consume t) <(seq 0 1)
  [ "$(pg-topic dump --json t | jq -s '[.[] | select(.control_type == "abort" and .coordinator_epoch == 0)] | length')" -eq 2 ]
  pg-topic verify t
}

@test "dump tells transactional batches and markers from others" {
  from_kafka t 0 a+1 a! b+2 b?
  pg-topic dump --records t >dump
  [ "$(grep -c '  transactional  crc ok' dump)" -eq 2 ]
  [ "$(grep -c 'batch .*  transactional  control commit  coordinator epoch 3  crc ok' dump)" -eq 1 ]
  [ "$(grep -c 'offset 4  time .*  control abort  coordinator epoch 3$' dump)" -eq 1 ]
  [ "$(pg-topic dump --json t | jq -r 'select(.type == "batch") | "\(.transactional) \(.control) \(.control_type)"' | tail -n 1)" = "true true abort" ]
}

@test "where the marker is damaged, readers do not guess" {
  from_kafka t 0 a+1 a! 2
  pg-consume t >/dev/null # what is damaged before anybody has read it is taken for a torn end
  flip "$(log t)" $(($(pg-topic dump --json t | jq 'select(.control).position') + 70))
  run --separate-stderr pg-consume t
  [ "$status" -eq 6 ]
  [ "$output" = 0 ]
  run --separate-stderr pg-consume --skip-damaged t
  [ "$status" -eq 6 ]
  [ "$output" = $'0\n2' ]
}
