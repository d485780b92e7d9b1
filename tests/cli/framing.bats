load helper

# frames RECORD...: each with its length before it
frames() {
  local record
  for record in "$@"; do
    printf '%b' "$(printf '\\x%02x' $((${#record} >> 24 & 255)) $((${#record} >> 16 & 255)) $((${#record} >> 8 & 255)) $((${#record} & 255)))"
    printf %s "$record"
  done
}

@test "len32be: any bytes come back as they were, with newlines, NUL, or none at all" {
  /usr/bin/python3 - >input <<'P'
import os, struct, sys
seed = int.from_bytes(os.urandom(4), "big")
print("seed", seed, file=sys.stderr)
import random
random.seed(seed)
for n in [0, 1, 2, 0, 5000, 200000, 0] + [random.randrange(300) for _ in range(500)]:
    record = random.randbytes(n)
    sys.stdout.buffer.write(struct.pack(">I", n) + record)
P
  pg-produce --framing len32be t <input
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t507' ]
  pg-consume --framing len32be t | cmp - input
  pg-consume --framing len32be t | pg-produce --framing len32be u
  pg-consume --framing len32be u | cmp - input
  pg-produce --framing lines v <<<$'a\nb'
  [ "$(pg-consume --framing lines v)" = $'a\nb' ]
}

# bats test_tags=any-cluster
@test "len32be goes with keys, headers and null" {
  frames ann:tea bob: $'c\nd:rice' | pg-produce --framing len32be -K : -Z -H h=1 t
  [ "$(pg-consume -f '%k{json} %v{json} %h\n' t)" = $'"ann" "tea" h=1\n"bob" null h=1\n"c\\nd" "rice" h=1' ]
  frames ann:tea bob: $'c\nd:rice' | cmp - <(pg-consume --framing len32be -K : t)
  frames tea '' rice | cmp - <(pg-consume --framing len32be t)
  frames x | pg-produce --framing len32be -k key u
  [ "$(pg-consume -K = u)" = key=x ]
}

@test "len32be: a frame that is cut short is exit 2, one that is too long exit 7, and the records before are kept" {
  { frames one two; printf '\0\0\0\5thre'; } >input
  fails 2 "pg-produce: record 3: the input ends after 8 of the record's 9 bytes*; 2 records written" pg-produce --framing len32be t <input
  [ "$(pg-consume t)" = $'one\ntwo' ]
  { frames one; printf '\0\0'; } >input
  fails 2 "pg-produce: record 2: *; 1 records written" pg-produce --framing len32be u <input
  { frames one; printf '\x7f\0\0\0'; } >input
  fails 7 "pg-produce: record 2: *larger than*; 1 records written" pg-produce --framing len32be v <input
  pg-produce --framing len32be w </dev/null
  [ "$(pg-topic offsets w)" = $'w\t0\t0\t0' ]
}

# bats test_tags=any-cluster
@test "--timestamp: every record has it, also one that JSON gives another" {
  stamps() { pg-consume -f '%T ' "$1"; }
  seq 2 | pg-produce --timestamp 2023-11-14T22:13:20.123Z t
  pg-produce --timestamp 1700000000 t a b
  pg-produce --timestamp 1700000000001 --file /dev/null t
  [ "$(stamps t)" = '1700000000123 1700000000123 1700000000000 1700000000000 1700000000001 ' ]
  printf '{"value":"a","timestamp":5}\n{"value":"b"}\n' | pg-produce --json --timestamp 7 u
  [ "$(stamps u)" = '7000 7000 ' ]
  pg-produce --timestamp -6h v x
  [ "$(pg-consume -o @-7h:-5h v)" = x ]
  [ -z "$(pg-consume -o @-5h v)" ]
  fails 2 "*--timestamp: 'noon'*" pg-produce --timestamp noon v x
  fails 2 "*--timestamp: *1970*" pg-produce --timestamp 1960-01-01 v x
}

@test "-T copies standard input byte for byte, whatever the framing" {
  printf 'one\n\ntwo\0\nlast, without newline' >input
  pg-produce -T t <input | cmp - input
  [ "$(pg-consume -f '%S ' t)" = '3 0 4 21 ' ]
  head -c 3000000 /dev/urandom >random
  pg-produce -T -0 u <random | cmp - random
  frames a $'b\n' '' >input
  pg-produce -T --framing len32be v <input | cmp - input
  seq 200000 | pg-produce -T --flush never w | cmp - <(seq 200000)
  [ "$(pg-consume w | tail -n 1)" = 200000 ]
}

# bats test_tags=any-cluster
@test "-T: what is on standard output is in the topic" {
  mkfifo input
  pg-produce -T t <input >output &
  exec 9>input
  local i
  for i in 1 2 3; do
    printf '%d\nbegun ' "$i" >&9
    until_true eval '[ "$(wc -l <output)" -eq '$i' ]'
    [ "$(pg-consume t | wc -l)" -eq "$i" ]
    # a record that is not whole yet is not copied
    [ "$(tail -c 2 output)" = "$i" ]
  done
  exec 9>&-
  wait $!
  [ "$(cat output)" = $'1\nbegun 2\nbegun 3\nbegun ' ]
}

# bats test_tags=any-cluster
@test "-T: of a record that is refused nothing is copied" {
  run --separate-stderr pg-produce -T -K : t <<<$'a:1\nb:2\nno key\nc:3'
  [ "$status" -eq 2 ]
  [ "$output" = $'a:1\nb:2' ]
  [[ $stderr == *"line 3: no key delimiter"*"2 records written" ]]
  [ "$(pg-consume -K : t)" = $'a:1\nb:2' ]
}

@test "-T into a pipe that is closed ends as cat does, and what was read is sent and flushed" {
  run --separate-stderr bash -c 'seq 200000 | pg-produce -T t | head -n 1; exit ${PIPESTATUS[1]}'
  [ "$status" -eq 141 ]
  [ "$output" = 1 ]
  [ -z "$stderr" ]
  local written
  written=$(pg-consume t | wc -l)
  [ "$written" -gt 0 ]
  pg-consume t | cmp - <(seq "$written")
  [ "$(pg-topic describe --json t | jq '.partitions[0].flushed_offset')" -eq "$written" ]
  fails 7 "*No space left*" bash -c 'seq 9 | pg-produce -T u >/dev/full'
  [ "$(pg-consume u)" = "$(seq 9)" ]
}

@test "-T: a signal ends it though nobody reads what it copies" {
  mkfifo out
  seq 1000000 >lines
  pg-produce -T t <lines >out &
  local producer=$!
  exec 9<out
  until_true eval '[ -n "$(pg-consume -n 1 -o +20000 t)" ]'
  kill -TERM $producer
  ends_with 143 $producer
  exec 9<&-
  local written
  written=$(pg-consume t | wc -l)
  pg-consume t | cmp - <(seq "$written")
  [ "$(pg-topic describe --json t | jq '.partitions[0].flushed_offset')" -eq "$written" ]
}

# bats test_tags=any-cluster
@test "combinations that make no sense are refused" {
  fails 2 "*--report*" pg-produce -T --report t
  fails 2 "*-T and --framing are for standard input*" pg-produce -T t x
  fails 2 "*-T and --framing are for standard input*" pg-produce --framing len32be --file /dev/null t
  fails 2 "*--linger*" pg-produce -T --linger 1s t
  fails 2 "*--framing: 'len64' is not*" pg-produce --framing len64 t
  local option
  for option in '-d ,' -0 --json; do
    # shellcheck disable=SC2086
    fails 2 "*--framing len32be*" pg-produce --framing len32be $option t
    # shellcheck disable=SC2086
    fails 2 "*--framing len32be*" pg-consume --framing len32be $option t
  done
  fails 2 "*--framing len32be*" pg-consume --framing len32be -f %v t
}
