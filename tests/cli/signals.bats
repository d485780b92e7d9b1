load helper

@test "a closed output pipe ends pg-consume silently, as it ends cat" {
  seq 500000 | pg-produce t  # more than any pipe holds
  run --separate-stderr bash -c 'pg-consume t | head -1; exit ${PIPESTATUS[0]}'
  [ "$status" -eq 141 ]
  [ "$output" = 1 ]
  [ -z "$stderr" ]
}

@test "SIGTERM and SIGINT: what was read is sent and flushed, then the signal ends pg-produce" {
  local signal
  for signal in TERM INT; do
    mkfifo "in.$signal"
    env --default-signal=INT "$PG_BIN/pg-produce" --linger 60s "$signal" <"in.$signal" &
    local producer=$!
    exec 9>"in.$signal"
    echo one >&9
    # the topic is made before input is read, and the line waits in the batch: the signal must not lose it
    until_true pg-topic describe "$signal"
    until_true eval "! read -t 0 </proc/$producer/fd/0"
    kill -"$signal" $producer
    ends_with $((128 + $(kill -l "$signal"))) $producer
    exec 9>&-
    [ "$(pg-consume "$signal")" = one ]
    [ "$(pg-topic describe --json "$signal" | jq '.partitions[0].flushed_offset')" -eq 1 ]
  done
}

@test "what a pipe has written is flushed in the background while the pipe goes on" {
  mkfifo input
  pg-produce t <input &
  exec 9>input
  echo one >&9
  until_true eval '[ "$(pg-topic describe --json t | jq ".partitions[0].flushed_offset")" = 1 ]'
  exec 9>&-
  wait $!
}

@test "a slow pipe is sent line by line, not when it ends" {
  mkfifo input
  pg-produce --flush never t <input &
  exec 9>input
  local i
  for i in 1 2 3; do
    echo $i >&9
    until_true eval '[ "$(pg-consume t | wc -l)" = '$i' ]'
  done
  exec 9>&-
  wait $!
}

@test "a stopped holder of the append lock makes others time out and name it" {
  pg-produce t x
  # a stand-in for a producer stopped in the middle of an append: byte 0 of the lock file, held by one that is stopped
  /usr/bin/python3 - "$(partition t)/partition.lock" >held <<'P' &
import fcntl, os, signal, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))  # 37: F_OFD_SETLK
print("held", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
P
  local holder=$!
  until_true grep -q held held
  fails 4 "*timed out waiting for the append lock of 't-0', held by process $holder (stopped? see 'ps')*" pg-produce --timeout 200ms t y
  [ "$(pg-consume t)" = x ]
  kill -CONT $holder
  wait $holder
  pg-produce t y
  [ "$(pg-consume t)" = $'x\ny' ]
}

@test "--report says where each batch is, once it is there" {
  pg-topic create t --partitions 3
  seq 1000 | pg-produce --report --flush never --batch-bytes 500 -k k t >report
  [ "$(jq -s 'map(.count)|add' report)" -eq 1000 ]
  [ "$(jq -r .state report | sort -u)" = committed ]
  local base count partition
  while read -r partition base count; do
    [ "$(pg-consume -p "$partition" -o "$base:$((base + count))" t | wc -l)" -eq "$count" ]
  done < <(jq -r '"\(.partition) \(.base_offset) \(.count)"' report | head -5)
  [ "$(pg-produce --report u x | jq -r .state)" = flushed ]
  [ "$(pg-produce --report --flush never --acks leader u x | jq -r .state)" = written ]
}
