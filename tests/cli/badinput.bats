load helper

@test "illegal topic names are usage errors" {
  local name
  for name in .. . a/b '' "$(printf 'x%.0s' {1..250})" $'a\nb' 'a b' 'ä'; do
    fails 2 "pg-produce: illegal topic name*" pg-produce "$name" x
    fails 2 "pg-consume: illegal topic name*" pg-consume "$name"
    fails 2 "pg-topic create: illegal topic name*" pg-topic create "$name"
  done
  [ -z "$(pg-topic list)" ]
}

@test "a topic name of 249 characters is legal" {
  local name
  name=$(printf 'x%.0s' {1..249})
  pg-produce "$name" hello
  [ "$(pg-consume "$name")" = hello ]
  pg-topic delete --yes "$name"
  [ -z "$(pg-topic list)" ]
}

@test "a topic that does not exist is exit 3" {
  pg-topic create t
  fails 3 "pg-consume: topic 'nope' does not exist" pg-consume nope
  fails 3 "pg-produce: topic 'nope' does not exist" pg-produce --no-create nope x
  fails 3 "pg-topic delete: topic 'nope' does not exist" pg-topic delete --yes nope
  fails 3 "pg-topic describe: topic 'nope' does not exist" pg-topic describe nope
}

@test "a record over max.message.bytes names the line, and only the records before it are written" {
  { echo one; echo two; head -c 1100000 /dev/zero | tr '\0' x; echo; echo four; } >input
  fails 7 "pg-produce: line 3: *larger than*; 2 records written" pg-produce t <input
  [ "$(pg-consume t)" = $'one\ntwo' ]
}

@test "max.message.bytes is the size of the batch, to the byte" {
  # 61 bytes of header and 8 around a value of 131 (two of them its length's second byte and the record's): 200
  pg-topic create t -c max.message.bytes=200
  pg-produce t "$(printf 'x%.0s' {1..130})"
  [ "$(pg-topic dump --json t | jq 'select(.type=="batch").size')" -le 200 ]
  fails 7 "*max.message.bytes=200*" pg-produce t "$(printf 'x%.0s' {1..150})"
}

@test "a missing key delimiter names the line, unless it is optional" {
  fails 2 "pg-produce: line 2: no key delimiter ':'*; 1 records written" pg-produce -K : t <<<$'a:1\nb\nc:3'
  pg-produce -K : --key-optional u <<<$'a:1\nb\nc:3'
  [ "$(pg-consume -f '%K %k %v|' u)" = '1 a 1|-1  b|1 c 3|' ]
}

@test "malformed JSON Lines name line and column" {
  fails 2 "pg-produce: line 2: column 9: malformed JSON*; 1 records written" pg-produce --json t <<<$'{"value":"a"}\n{"value"}'
  fails 2 "*line 1: *\"value\" is missing*" pg-produce --json t <<<'{"key":"k"}'
  fails 2 "*line 1: *\"value\" is not a string*" pg-produce --json t <<<'{"value":5}'
  fails 2 "*line 1: *\"timestamp\"*" pg-produce --json t <<<'{"value":"v","timestamp":1.5}'
  fails 2 "*line 1: *\"headers\"*" pg-produce --json t <<<'{"value":"v","headers":[["a"]]}'
  fails 2 "*line 1: *base64*" pg-produce --json t <<<'{"value":{"base64":"?"}}'
  fails 3 "*line 1: *no partition 7*" pg-produce --json t <<<'{"value":"v","partition":7}'
}

@test "empty input is no error and writes nothing" {
  pg-produce t </dev/null
  [ -z "$(pg-consume t)" ]
  pg-produce --json t </dev/null
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t0' ]
}

@test "an offset that the log has not got is exit 3" {
  seq 5 | pg-produce t
  fails 3 "pg-consume: 't-0' has no offset 6: it holds 0 to 5" pg-consume -o 6 t
  [ -z "$(pg-consume -o 5 t)" ]
}

@test "a home that cannot be made or written is exit 1" {
  fails 1 "*cannot make the home*" pg-produce --home /proc/nope t x
  touch file
  fails 1 "*" pg-produce --home "$PWD/file" t x
  if [ "$(id -u)" -eq 0 ] && setpriv --reuid 65534 --clear-groups test -x "$PG_BIN/pg-produce"; then
    pg-produce t x
    chmod -R a+rX .
    if setpriv --reuid 65534 --clear-groups test -r "$PG_HOME"; then
      fails 1 "*no permission to write*" setpriv --reuid 65534 --clear-groups "$PG_BIN/pg-produce" t y
      [ "$(setpriv --reuid 65534 --clear-groups "$PG_BIN/pg-consume" t)" = x ]
    fi
  fi
}

@test "without --home, PG_HOME, XDG_DATA_HOME, HOME and a user in /etc/passwd it says so" {
  [ "$(id -u)" -eq 0 ] && ! grep -q "^[^:]*:[^:]*:54321:" /etc/passwd || skip "needs root"
  setpriv --reuid 54321 --clear-groups test -x "$PG_BIN/pg-topic" || skip "another user cannot reach the tools"
  fails 2 "*no home directory*" env -u PG_HOME -u XDG_DATA_HOME -u HOME setpriv --reuid 54321 --clear-groups "$PG_BIN/pg-topic" list
}

@test "a file replaced by a directory, or by a link out of the home, is refused" {
  pg-produce t x
  rm "$(log t)"
  mkdir "$(log t)"
  fails 1 "*directory*" pg-produce t y
  fails 1 "*directory*" pg-consume t
  rm -r "$(partition t)"
  mkdir elsewhere
  ln -s "$PWD/elsewhere" "$(partition t)"
  fails 1 "*is not a directory*" pg-produce t y
  [ -z "$(ls elsewhere)" ]
}

@test "a full disk is exit 7, says how far it got, and the topic stays readable" {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  mkdir small
  mount -t tmpfs -o size=1m tmpfs small || skip "cannot mount a tmpfs"
  export PG_HOME=$PWD/small/home
  pg-topic create t
  run --separate-stderr pg-produce --batch-bytes 10K t < <(seq 200000)
  echo "$stderr"
  umount_later() { umount small; }
  [ "$status" -eq 7 ] || { umount_later; false; }
  [[ $stderr == *"No space left on device"* ]] || { umount_later; false; }
  written=$(sed 's/.*; \([0-9]*\) records written$/\1/' <<<"$stderr")
  pg-consume t | cmp - <(seq "$written") || { umount_later; false; }
  pg-topic verify t || { umount_later; false; }
  pg-topic delete --yes t || { umount_later; false; }
  umount_later
}

@test "a file size limit is exit 7 and no signal" {
  pg-topic create t
  run --separate-stderr bash -c 'ulimit -f 100; seq 200000 | pg-produce --batch-bytes 10K t'
  echo "$stderr"
  [ "$status" -eq 7 ]
  [[ $stderr == *"File too large"* ]]
  pg-topic verify t
}

@test "closed standard streams are errors and never hit the log" {
  pg-produce t x
  fails 1 "*standard output*" bash -c 'pg-consume t >&-'
  fails 1 "*standard input*" bash -c 'pg-produce t <&-'
  run bash -c 'pg-topic list >&- 2>&-'
  [ "$status" -eq 1 ]
  [ "$(stat -c %s "$(partition t)/partition.lock")" -eq 0 ]
  pg-topic verify t
  fails 7 "*No space left*" bash -c 'pg-consume t >/dev/full'
  fails 7 "*No space left*" bash -c 'pg-produce --report t y >/dev/full'
}

@test "the tables that the program keeps take no records" {
  fails 2 "*'__consumer_offsets' is a table of this program*" pg-produce __consumer_offsets x
  fails 2 "*'__producer_ids' is a table of this program*" pg-produce __producer_ids x
}
