# What a disk, an operator or another program may do to a home, and what a shell may do to a tool.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell; run sets stderr
load helper

# batches TOPIC [CONFIG...]: a topic of nine batches of ten records, offsets 0 to 89, values 100 to 109, 200 to 209, …
batches() {
  local topic=$1 i
  shift
  pg-topic create "$topic" -c index.interval.bytes=256 "$@"
  for i in 1 2 3 4 5 6 7 8 9; do seq "${i}00" "${i}09" | pg-produce "$topic"; done
}

values() { for i in "$@"; do seq "${i}00" "${i}09"; done; }

# position TOPIC N: where its N-th batch begins, from 0, in the file that holds it
position() { pg-topic dump --json "$1" | jq -s "map(select(.type==\"batch\"))[$2].position"; }

# poke FILE POSITION HEX: writes bytes
poke() { echo "$3" | xxd -r -p | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

forget_page() { rm "$(partition "$@")/partition.state"; }

@test "a state page moved in from another partition is not believed, and no record is cut off" {
  batches t
  pg-produce u a b
  mv "$(partition t)/partition.state" page
  mv "$(partition u)/partition.state" "$(partition t)/partition.state"
  mv page "$(partition u)/partition.state"
  pg-produce t x
  pg-produce u c
  pg-consume t | cmp - <(values {1..9}; echo x)
  [ "$(pg-consume u)" = $'a\nb\nc' ]
  pg-topic verify
}

@test "a topic whose maker was killed is no obstacle to the next one" {
  pg-topic create t --partitions 60 &
  local maker=$!
  until_true test -e "$(partition t 4)"
  kill -9 $maker
  wait $maker || true
  pg-produce t x
  pg-topic delete --yes t
  pg-topic create t --partitions 8
  seq 80 | pg-produce --partitioner round-robin --batch-bytes 100 t
  [ "$(pg-consume t | sort -n)" = "$(seq 80)" ]
  pg-topic verify
}

@test "a flipped byte in a base offset does not move the log's end" {
  batches t
  poke "$(log t)" "$(position t 2)" 01
  forget_page t
  run --separate-stderr pg-consume t
  [ "$status" -eq 6 ]
  [ "$output" = "$(values 1 2)" ]
  pg-produce t x
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t91' ]
}

@test "a flipped byte in the last batch's base offset does not move the log's end" {
  batches t
  poke "$(log t)" "$(position t 8)" 01
  forget_page t
  run --separate-stderr pg-consume t
  [ "$status" -eq 6 ]
  [ "$output" = "$(values {1..8})" ]
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t90' ]
}

@test "a flipped byte in a leader epoch is found where it is, and restoring it heals the log" {
  batches t
  local at=$(($(position t 2) + 12))
  poke "$(log t)" "$at" 01
  forget_page t
  run --separate-stderr pg-consume t
  [ "$status" -eq 6 ]
  [ "$output" = "$(values 1 2)" ]
  run pg-topic verify t
  [ "$status" -eq 6 ]
  [[ $output == *".log:$((at - 12)) "* ]]
  poke "$(log t)" "$at" 00
  pg-consume t | cmp - <(values {1..9})
  pg-topic verify t
}

@test "a first segment that is gone is damage, for verify and for consumers" {
  batches t -c segment.bytes=1024
  [ "$(pg-topic describe --json t | jq '.partitions[0].segments')" -ge 2 ]
  rm "$(log t)"
  fails 6 "*" pg-consume t
  run pg-topic verify t
  [ "$status" -eq 6 ]
  forget_page t
  run pg-topic verify t
  [ "$status" -eq 6 ]
  run pg-consume t
  [ "$status" -eq 6 ]
}

@test "a wrong time index hides no record" {
  batches t -c segment.bytes=1024
  local index byte
  index=$(partition t)/00000000000000000000.timeindex
  for byte in 00 11 7f 80 ff; do
    printf "$byte%.0s" {1..240} | xxd -r -p >"$index"
    [ "$(pg-consume -o @2020-01-01 t | wc -l)" -eq 90 ]
    [ -z "$(pg-consume -o @2099-01-01 t)" ]
  done
  # Every entry names an offset that is there, and a time that its batch has not got
  { for _ in 1 2 3 4; do printf '\0\0\0\0\0\0\1\0\0\0\0\x27'; done; } >"$index"
  [ "$(pg-consume -o @2020-01-01 t | wc -l)" -eq 90 ]
}

@test "missing or wrong indexes of sealed segments are made again" {
  batches t -c segment.bytes=1024
  local base
  base=$(partition t)/00000000000000000000
  cp "$base.index" "$base.timeindex" .
  rm "$base".*index
  forget_page t
  pg-produce t x
  pg-topic verify t
  cmp "$base.index" 00000000000000000000.index
  cmp "$base.timeindex" 00000000000000000000.timeindex
  poke "$base.index" 0 0000000100000001
  [ "$(pg-consume -o 25:27 t)" = $'305\n306' ]
  forget_page t
  pg-produce t y
  pg-topic verify t
}

@test "a leader-epoch-checkpoint that is gone or garbage is made again" {
  batches t
  rm "$(partition t)/leader-epoch-checkpoint"
  forget_page t
  pg-produce t x
  pg-topic verify t
  echo garbage >"$(partition t)/leader-epoch-checkpoint"
  forget_page t
  pg-produce t x
  pg-topic verify t
}

@test "verify names the damaged batch and blames no good index" {
  batches t
  local at
  at=$(position t 2)
  flip "$(log t)" $((at + 70))
  run pg-topic verify t
  [ "$status" -eq 6 ]
  [ "${#lines[@]}" -eq 1 ]
  [[ $output == "$(log t):$at offset 20: "* ]]
}

@test "records behind a damaged batch can be read by their offset" {
  batches t
  flip "$(log t)" $(($(position t 2) + 70))
  pg-produce t x
  pg-consume -o 30 t | cmp - <(values 4 5 6 7 8 9; echo x)
  forget_page t
  pg-consume -q -o 30 t | cmp - <(values 4 5 6 7 8 9; echo x)
  [ "$(pg-consume --last 1 t)" = x ]
}

@test "a partition directory that is gone is damage, and is not made again empty" {
  batches t
  mv "$(partition t)" aside
  fails 6 "*t-0*" pg-consume t
  fails 6 "*t-0*" pg-produce t x
  mv aside "$(partition t)"
  pg-consume t | cmp - <(values {1..9})
}

@test "without memory for a thread the records are still written, and it never crashes" {
  [ -z "${TEST_SANITIZER:-}" ] || skip "a sanitizer needs more memory than there is"
  pg-produce t one
  run --separate-stderr bash -c 'ulimit -v 8000; pg-produce t two'
  echo "status $status, stderr: $stderr"
  [ "$status" -lt 128 ]
  [[ $stderr != *terminate* ]]
  [ "$status" -ne 0 ] || [ "$(pg-consume t)" = $'one\ntwo' ]
}

@test "a record that fits is taken as JSON too, however long its line is" {
  head -c 900000 /dev/urandom >binary
  head -c 900000 /dev/zero >zeros
  pg-produce a --file binary --file zeros
  pg-consume --json a | pg-produce --json b
  pg-consume -d none b | cmp - <(cat binary zeros)
}

@test "a topic of more partitions than a process may have files is read all the same" {
  pg-topic create t --partitions 150
  seq 300 | pg-produce --partitioner round-robin --batch-bytes 100 t
  bash -c 'ulimit -Sn 256; exec pg-consume t' | sort -n | cmp - <(seq 300)
}

@test "a full disk can be read without a state page, and topics can be deleted" {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  mkdir small
  mount -t tmpfs -o size=1m tmpfs small || skip "cannot mount a tmpfs"
  PG_HOME=$PWD/small/home
  local outcome=0
  seq 100 | pg-produce t
  forget_page t
  head -c 2000000 /dev/zero >small/fill 2>/dev/null || true
  pg-consume t >out || outcome=1
  pg-topic delete --yes t || outcome=2
  umount small
  echo "outcome $outcome"
  [ "$outcome" -eq 0 ]
  cmp out <(seq 100)
}

@test "a create that fails leaves nothing behind" {
  pg-produce t x
  run bash -c 'ulimit -f 1; pg-topic create u --partitions 3'
  [ "$status" -eq 7 ]
  [ "$(find "$PG_HOME/brokers/0" -name 'u-*')" = "" ]
}

@test "a message is one line, whatever it quotes" {
  fails 2 "*header*" pg-produce t x -H $'a\nb'
  fails 2 "*delimiter*" bash -c 'printf x | pg-produce -d none -K "\n" t'
  pg-produce t x
  head -c 300 /dev/urandom >"$PG_HOME/brokers/0/recovery-point-offset-checkpoint"
  run --separate-stderr pg-produce t y
  [ "$status" -eq 0 ]
  [ "${#stderr_lines[@]}" -le 1 ]
  [[ $stderr != *[![:print:]]* ]]
}

@test "a follower notices that its output was closed, though nothing is written" {
  pg-produce t x
  run bash -c 'timeout -k 1 10 pg-consume -F t | head -1; exit "${PIPESTATUS[0]}"'
  [ "$status" -eq 141 ]
  [ "$output" = x ]
}

@test "an interrupt ends pg-produce while it waits for a --file" {
  mkfifo fifo
  run env --default-signal=INT timeout -s INT -k 5 1 pg-produce t --file fifo
  [ "$status" -eq 124 ]
}

@test "a producer stopped from the terminal holds no lock" {
  cat >stop.py <<'PY'
import fcntl, os, signal, struct, subprocess, sys

def held(byte):
    with open(os.environ["PG_HOME"] + "/brokers/0/t-0/partition.lock", "r+b") as file:
        query = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, byte, 1, 0)
        return struct.unpack("hhqqi4x", fcntl.fcntl(file, 36, query))[0] != fcntl.F_UNLCK  # F_OFD_GETLK

subprocess.run(["pg-topic", "create", "t"], check=True)
feeder = subprocess.Popen(["yes", "x" * 200], stdout=subprocess.PIPE)
producer = subprocess.Popen(["pg-produce", "--report", "t"], stdin=feeder.stdout, stdout=subprocess.PIPE, preexec_fn=os.setpgrp)
producer.stdout.readline()  # it is under way
stops = []
for _ in range(60):
    os.kill(producer.pid, signal.SIGTSTP)
    _, status = os.waitpid(producer.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), status
    stops.append(held(0))
    os.kill(producer.pid, signal.SIGCONT)
    os.read(producer.stdout.fileno(), 65536)  # and goes on
feeder.kill()
producer.kill()
sys.exit(f"{sum(stops)} of {len(stops)} stops with a lock held" if any(stops) else 0)
PY
  # A session of its own: to stop, a process needs a parent outside its group that can continue it.
  timeout -k 1 60 setsid -w /usr/bin/python3 stop.py
}

@test "a -F of a home that is removed ends with an error" {
  pg-produce t x
  pg-consume -F t >out 2>err &
  local follower=$!
  until_true test -s out
  rm -r "$PG_HOME"
  ends_with 3 $follower
  [ "$(wc -l <err)" -eq 1 ]
}
