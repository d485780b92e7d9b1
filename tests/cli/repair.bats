#!/usr/bin/env bats
# pg-topic repair: what it says, what it changes, and when.
load helper

setup_damage() {
  pg-topic create t -c segment.bytes=2000
  seq 200 | pg-produce --batch-bytes 150 t
  printf 'XXXX' | dd of="$(log t)" bs=1 seek=300 conv=notrunc status=none
}

@test "without --yes it says what is lost, changes nothing and exits 6" {
  setup_damage
  find "$PG_HOME" -type f -name '*[0-9x]' -exec sha256sum {} + >before
  run --separate-stderr pg-topic repair t
  [ "$status" -eq 6 ]
  [ "$output" = "$(log t):284 offsets 19 to 27 lost, 142 bytes: damaged batch: not a record batch of magic 2" ]
  [[ $stderr == *"add --yes"* ]]
  sha256sum --quiet -c before
}

@test "with --yes everything else is readable again, offsets stay, and the damaged bytes are kept" {
  setup_damage
  dd if="$(log t)" bs=1 skip=284 count=142 of=bad status=none
  run pg-topic verify t
  [ "$status" -eq 6 ]
  run --separate-stderr pg-topic repair --yes --json t
  [ "$status" -eq 0 ]
  [ "$(jq -c '[.position, .bytes, .first_offset, .end_offset, .outcome]' <<<"$output")" = '[284,142,19,28,"lost"]' ]
  pg-topic verify t
  [ "$(pg-consume t)" = "$(seq 19; seq 29 200)" ]
  [ "$(pg-consume -o 28 -n 1 -f '%o %v' t)" = "28 29" ]
  [ "$(pg-consume -o 20 -n 1 -f '%o %v' t)" = "28 29" ]
  cmp bad "$(partition t)"/*.damaged-1
  run pg-topic repair --yes t
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  pg-produce t more
  [ "$(pg-consume t | tail -1)" = more ]
}

# reads PID TOPIC: the process has a segment of the topic open
reads() { [ -n "$(find "/proc/$1/fd" -lname "$(partition "$2")/*.log")" ]; }

@test "a topic that others read is not repaired under their feet: exit 4" {
  setup_damage
  pg-consume -F -o 100 t >/dev/null 3>&- &
  local reader=$!
  until_true reads "$reader" t
  run pg-topic repair --yes --timeout 100ms t
  [ "$status" -eq 4 ]
  [[ $output == *"other processes have 't-0' open"* ]]
  kill "$reader"
  wait "$reader" || true
  pg-topic repair --yes -q t
  pg-topic verify t
}

@test "a directory that is gone comes back empty, and its offsets are not used again" {
  seq 10 | pg-produce t
  rm -r "$(partition t)"
  run pg-consume t
  [ "$status" -eq 6 ]
  [[ $output == *"pg-topic repair"* ]]
  run pg-topic repair t
  [ "$status" -eq 6 ]
  pg-topic repair --yes -q t >/dev/null
  [ -z "$(pg-consume t)" ]
  pg-produce t eleven
  [ "$(pg-consume -f '%o %v' t)" = "10 eleven" ]
  pg-topic verify t
}

@test "a partition that is offline since a flush failed is online again after a repair, with all its records" {
  seq 10 | pg-produce t
  run strace -f -qq -o /dev/null -e inject=fdatasync:error=EIO:when=1 pg-produce t eleven
  [ "$status" -eq 1 ]
  run pg-produce t twelve
  [ "$status" -eq 1 ]
  [[ $output == *"pg-topic repair"* ]]
  run pg-topic repair t
  [ "$status" -eq 6 ]
  [[ $output == *"offline since a flush failed"* ]]
  pg-topic repair --yes -q t
  pg-produce t twelve
  [ "$(pg-consume t)" = "$(seq 10; echo eleven; echo twelve)" ]
}

@test "an index that lies is made anew" {
  pg-topic create t -c segment.bytes=2000 -c index.interval.bytes=100
  seq 200 | pg-produce --batch-bytes 150 t
  head -c 16 /dev/urandom | dd of="$(partition t)/00000000000000000000.index" conv=notrunc status=none
  run pg-topic verify t
  [ "$status" -eq 6 ]
  pg-topic repair --yes -q t >/dev/null
  pg-topic verify t
  [ "$(pg-consume t)" = "$(seq 200)" ]
}
