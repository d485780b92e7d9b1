#!/usr/bin/env bats
# When records reach the disk, and what happens when the disk says no. strace counts the system calls, or makes them fail.
load helper

# How often a log file was synced.
syncs() { grep -c 'fdatasync.*\.log>' "$BATS_TEST_TMPDIR/trace" || true; }
# A leak check would need to trace too.
traced() { ASAN_OPTIONS=detect_leaks=0 strace -f -qq -y -e trace=fdatasync,pwrite64 -o "$BATS_TEST_TMPDIR/trace" "$@"; }

@test "--flush batch waits for the disk after each batch, exit at the end, never not at all" {
  for row in "batch 20" "exit 1" "never 0"; do
    read -r mode expected <<<"$row"
    pg-topic create "t-$mode"
    seq 20 | traced pg-produce --flush "$mode" --batch-bytes 1 "t-$mode"
    [ "$(syncs)" -eq "$expected" ]
    [ "$(pg-consume "t-$mode" | sha256sum)" = "$(seq 20 | sha256sum)" ]
  done
}

@test "--flush batch --report: a line is there before the next record is taken" {
  mkfifo "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
  pg-produce --flush batch --report t <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
  exec 4>"$BATS_TEST_TMPDIR/in" 5<"$BATS_TEST_TMPDIR/out"
  for n in 0 1 2; do
    echo "record $n" >&4
    read -r line <&5
    [ "$line" = "{\"topic\":\"t\",\"partition\":0,\"base_offset\":$n,\"count\":1,\"state\":\"flushed\"}" ]
    [ "$(pg-topic describe --json t | jq '.partitions[0].flushed_offset')" -eq $((n + 1)) ]
  done
  exec 4>&- 5<&-
  wait $!
}

@test "flush.messages and flush.ms ask for more than --flush never" {
  pg-topic create -c flush.messages=5 five
  seq 20 | traced pg-produce --flush never --batch-bytes 1 five
  [ "$(syncs)" -eq 4 ]
  pg-topic create -c flush.ms=0 now
  seq 20 | traced pg-produce --flush never --batch-bytes 1 now
  [ "$(syncs)" -eq 20 ]
}

@test "a failed fsync: exit 1 with the file's name, the partition is offline for good, reading goes on" {
  seq 10 | pg-produce t
  run strace -f -qq -o /dev/null -e inject=fdatasync:error=EIO:when=1 pg-produce t more
  [ "$status" -eq 1 ]
  [[ $output == *"t-0/00000000000000000000.log"* ]]
  run traced pg-produce t again
  [ "$status" -eq 1 ]
  [[ $output == *"offline since a flush to disk failed"* ]]
  [ "$(syncs)" -eq 0 ]   # nobody asks the kernel again
  run pg-produce --flush never t again
  [ "$status" -eq 1 ]
  [ "$(pg-consume t)" = "$(seq 10; echo more)" ]
  [ "$(pg-topic describe --json t | jq '.partitions[0].flushed_offset')" -eq 10 ]
}

has_end() { [ "$(pg-topic offsets "$1" | cut -f4)" = "$2" ]; }

@test "what is in the log counts as written, also when its flush comes to nothing" {
  pg-topic create t -c flush.messages=1
  strace -f -qq -o /dev/null -e inject=fdatasync:delay_enter=6000000:when=1 pg-produce t a 3>&- &
  local slow=$!
  until_true has_end t 1
  fails 5 "pg-produce: written, but not flushed: timed out waiting for another process to flush 't-0'*; 1 records written" pg-produce --timeout 300ms t b
  wait $slow
  [ "$(pg-consume t)" = $'a\nb' ]
  # The same where the flush is the producer's own wish.
  pg-topic create u
  strace -f -qq -o /dev/null -e inject=fdatasync:delay_enter=6000000:when=1 pg-produce u a 3>&- &
  slow=$!
  until_true has_end u 1
  fails 5 "pg-produce: written, but not flushed: *; 3 records written" pg-produce --timeout 300ms u b c d
  wait $slow
  [ "$(pg-consume u)" = $'a\nb\nc\nd' ]
}

@test "a failed fsync is not forgotten with the page or by another boot, until the partition is repaired" {
  seq 10 | pg-produce t
  run strace -f -qq -o /dev/null -e inject=fdatasync:error=EIO:when=1 pg-produce t more
  [ "$status" -eq 1 ]
  local spoil
  for spoil in 'rm "$(partition t)/partition.state"' \
    'head -c 16 /dev/urandom | dd of="$(partition t)/partition.state" bs=1 seek=24 conv=notrunc status=none'; do
    eval "$spoil"
    fails 1 "*offline since a flush to disk failed*" pg-produce t again
  done
  [ "$(pg-consume t)" = "$(seq 10; echo more)" ]
  pg-topic repair --yes t
  rm "$(partition t)/partition.state"
  pg-produce t again
  [ "$(pg-consume t)" = "$(seq 10; echo more; echo again)" ]
}

@test "a process that is killed in the middle of a flush leaves nobody a false promise" {
  seq 10 | pg-produce --flush never t
  # It dies as it enters the system call: the mark that a flush has begun stays behind.
  run strace -f -qq -o /dev/null -e inject=fdatasync:signal=KILL:when=1 pg-produce t eleven
  [ "$status" -eq 137 ]
  [ "$(pg-topic describe --json t | jq '.partitions[0].flushed_offset')" -eq 0 ]
  # The next one writes the bytes again before it syncs: pwrite64 of each batch, then fdatasync.
  traced pg-produce t twelve
  [ "$(grep -c 'pwrite64.*\.log>' "$BATS_TEST_TMPDIR/trace")" -eq 4 ]   # twelve itself, then three batches again
  [ "$(syncs)" -eq 1 ]
  [ "$(pg-topic describe --json t | jq '.partitions[0].flushed_offset')" -eq 12 ]
  [ "$(pg-consume t)" = "$(seq 10; echo eleven; echo twelve)" ]
}
