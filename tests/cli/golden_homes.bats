#!/usr/bin/env bats
# Homes that earlier versions made (tests/golden/homes): this version reads, writes, verifies and upgrades each of them.
# PG_BIN names the folder of the tools.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; run sets output
load helper

homes=$BATS_TEST_DIRNAME/../golden/homes

teardown() {
  local home
  for home in "$BATS_TEST_TMPDIR"/*/home; do
    if [ -d "$home" ]; then pg-cluster stop --home "$home" --all >/dev/null 2>&1 || true; fi
  done
}

# for_each_home FUNCTION: calls it in a folder with a fresh copy of each version's home, with PG_HOME and $expected set
for_each_home() {
  local archive version
  for archive in "$homes"/*/home.tar.xz; do
    version=$(basename "$(dirname "$archive")")
    echo "the home of version $version"
    expected=$homes/$version/expected
    mkdir -p "$BATS_TEST_TMPDIR/$version"
    cd "$BATS_TEST_TMPDIR/$version" || exit 1
    tar -xJf "$archive"
    export PG_HOME=$PWD/home
    "$1"
  done
}

reads_what_was_there() {
  pg-topic list | diff "$expected/topics" -
  pg-group list | diff "$expected/groups" -
  pg-schema list | diff "$expected/subjects" -
  pg-schema get meals-value | diff "$expected/schema.2" -
  local topic group
  while read -r topic; do
    pg-consume --json "$topic" | diff "$expected/$topic.json" -
    pg-topic offsets "$topic" | diff "$expected/$topic.offsets" -
  done <"$expected/topics"
  while read -r group; do
    # its columns may be aligned in another way
    diff <(tr -s ' ' <"$expected/$group.group") <(pg-group describe "$group" | tr -s ' ')
  done <"$expected/groups"
  jq -c '{topic, topic_id, config}' "$expected/topics.json" | diff - <(pg-topic describe --json | jq -c '{topic, topic_id, config}')
  pg-topic verify
}

@test "everything that was there is read, and nothing is at fault" { for_each_home reads_what_was_there; }

# After the topics with one copy: payments has three, and needs its brokers.
writes_on() {
  local topic end
  for topic in plain gzip snappy lz4 zstd appended trimmed; do
    end=$(pg-consume "$topic" | wc -l)
    seq 5 | pg-produce "$topic"
    [ "$(pg-consume "$topic" | wc -l)" -eq $((end + 5)) ]
    [ "$topic" = plain ] || diff "$expected/$topic.json" <(pg-consume --json "$topic" | head -n "$end") # others have one partition
  done
  pg-produce -k k5 compacted 'of today'
  pg-topic compact compacted
  [ "$(pg-consume -k k5 compacted | tail -n 1)" = 'of today' ]
  [ "$(pg-consume -k k7 compacted | tail -n 1)" = 'back again' ]
  [ "$(pg-consume --json -k k8 compacted | tail -n 1 | jq .value)" = null ] # its newest record is a tombstone
  pg-topic trim --yes -o 300 trimmed
  [ "$(pg-topic offsets trimmed)" = $'trimmed\t0\t300\t365' ]
  pg-topic alter -c retention.bytes=100000000 trimmed
  pg-topic create --replication-factor 1 gone
  pg-produce gone 'made again'
  [ "$(pg-consume gone)" = 'made again' ]
  pg-topic verify
}

@test "topics with one copy are written to, compacted, trimmed and altered" { for_each_home writes_on; }

names_go_on() {
  # the whole input again: nothing twice; one that grew: its new lines; another one: refused
  seq 1 500 | pg-produce --input-id nightly named
  [ "$(pg-consume named | cksum)" = "$(seq 500 | cksum)" ]
  seq 1 600 | pg-produce --input-id nightly named
  [ "$(pg-consume named | cksum)" = "$(seq 600 | cksum)" ]
  run -8 pg-produce --input-id nightly named <<<'something else'
}

@test "a named input goes on where it was" { for_each_home names_go_on; }

groups_go_on() {
  [ "$(pg-consume -g some plain | wc -l)" -eq 154 ]
  [ "$(pg-group lag some)" -eq 0 ]
  seq 3 | pg-produce plain
  [ "$(pg-consume -g all plain zstd | sort | tr '\n' ' ')" = '1 2 3 ' ]
}

@test "groups go on behind what they had committed" { for_each_home groups_go_on; }

schemas_go_on() {
  run -8 pg-produce meals <<<'{"item":7}'
  pg-produce meals <<<'{"item":"soup"}'
  [ "$(pg-consume --schema meals | tail -n 1)" = '{"item":"soup"}' ]
  echo '{"type":"object","properties":{"item":{"type":"string"}},"additionalProperties":true}' >next.json
  [ "$(pg-schema register other-value next.json)" -eq 4 ]
}

@test "schemas are looked up, and ids go on" { for_each_home schemas_go_on; }

brokers_go_on() {
  pg-cluster start --all
  pg-cluster health --wait --timeout 60s
  seq 701 800 | pg-produce --input-id later payments
  [ "$(pg-consume payments | sort -n | cksum)" = "$(seq 800 | cksum)" ]
  # what the group had not read, and no record that it had
  [ "$(pg-consume -g ledger payments | wc -l)" -eq 350 ]
  rm -rf "$PG_HOME"/brokers/1/payments-0
  pg-cluster health --wait --timeout 60s
  pg-cluster verify
  pg-cluster stop --all
  pg-topic verify
}

@test "its brokers start, replicate, and mend a copy that is lost" { for_each_home brokers_go_on; }
