load helper

# The boot id is at byte 32 of partition.state: magic 8, version 4, features 12, and it is aligned to nothing more.
boot_id_at=24

@test "a dead writer's tail is cut by the next one and never shown" {
  seq 5 | pg-produce t
  printf 'half a batch' >>"$(log t)"
  [ "$(pg-consume t)" = "$(seq 5)" ]
  pg-topic verify t
  pg-produce t 6
  [ "$(pg-consume t)" = "$(seq 6)" ]
  pg-topic verify t
}

@test "a state page that is deleted, spoilt, cut, emptied or another partition's is made anew" {
  pg-topic create t --partitions 2
  seq 5 | pg-produce -p 0 t
  seq 9 | pg-produce -p 1 t
  local page
  page=$(partition t)/partition.state
  local spoil
  for spoil in 'rm "$page"' 'head -c 4096 /dev/urandom >"$page"' 'truncate -s 100 "$page"' 'truncate -s 0 "$page"' \
    'cp "$(partition t 1)/partition.state" "$page"' 'cp "$page" new; mv new "$page"'; do
    echo "$spoil"
    eval "$spoil"
    [ "$(pg-consume -p 0 t)" = "$(seq 5)" ]
    pg-topic verify -q t
  done
  pg-produce -p 0 t 6
  [ "$(pg-consume -p 0 t)" = "$(seq 6)" ]
}

@test "after a restart of the machine the log is checked, and a new leader epoch begins" {
  seq 5 | pg-produce t
  seq 6 8 | pg-produce --flush never t
  head -c 16 /dev/urandom | dd of="$(partition t)/partition.state" bs=1 seek=$boot_id_at conv=notrunc status=none
  # what was not flushed came back cut in the middle of a batch
  truncate -s -3 "$(log t)"
  run --separate-stderr pg-consume t
  echo "$stderr"
  [ "$status" -eq 0 ]
  [ "$output" = "$(seq 5)" ]
  [[ $stderr == *"recovered 't-0': cut "*" bytes after offset 4"* ]]
  [ -s "$(partition t)/00000000000000000000.torn-1" ]
  pg-produce t again
  [ "$(pg-consume -f '%o %e %v|' -o 4 t)" = '4 0 5|5 1 again|' ]
  pg-topic verify t
}

@test "damage below what was flushed keeps every byte, and the log goes on behind it" {
  local i
  for i in 1 2 3; do pg-produce t "$i"; done
  local size
  size=$(stat -c %s "$(log t)")
  flip "$(log t)" 100
  rm "$(partition t)/partition.state"
  run --separate-stderr pg-consume t
  [ "$status" -eq 6 ]
  [ "$output" = 1 ]
  [[ $stderr == *"is damaged"*"verify"* ]]
  pg-produce t 4
  [ "$(stat -c %s "$(log t)")" -eq "$size" ]
  [ "$(pg-consume -o 3 t)" = 4 ]
  run pg-topic verify t
  [ "$status" -eq 6 ]
}

@test "a reader prints what is intact, then names the damage and exits 6" {
  local i
  for i in 1 2 3; do pg-produce t "$i"; done
  flip "$(log t)" 100
  fails 6 "*CRC*00000000000000000000.log @ 69*" pg-consume t
  [ "$output" = 1 ]
  run --separate-stderr pg-topic dump t
  [ "$status" -eq 6 ]
  [[ $output == *"crc mismatch"* ]]
}

@test "any flipped byte of a .log is found by verify, by name and place" {
  local i size position step=1
  for i in 1 2 3 4; do pg-produce -k "key $i" -H a=b t "value $i"; done
  size=$(stat -c %s "$(log t)")
  cp "$(log t)" good
  [ -n "${PG_LONG:-}" ] || step=$((RANDOM % 5 + 7))
  echo "every ${step}th byte of $size"
  for ((position = 0; position < size; position += step)); do
    flip "$(log t)" "$position"
    run pg-topic verify t
    [ "$status" -eq 6 ] || { echo "byte $position not found"; false; }
    [[ ${lines[0]} == "$(log t):"*" offset "* ]]
    cat good >"$(log t)"
  done
  pg-topic verify t
}

@test "indexes that are missing, empty, cut or nonsense lose nothing" {
  pg-topic create t -c segment.bytes=3000 -c index.interval.bytes=200
  seq 1 600 | pg-produce --batch-bytes 200 t
  cp -r "$PG_HOME" good
  local kind spoil offset
  for kind in index timeindex; do
    for spoil in 'rm' 'truncate -s 0' 'truncate -s -5' 'cp /dev/null' 'noise'; do
      rm -r "$PG_HOME"
      cp -r good "$PG_HOME"
      noise() { local size; size=$(stat -c %s "$1"); head -c "$size" /dev/urandom >"$1"; }
      for file in "$(partition t)"/*.$kind; do $spoil "$file"; done
      echo "$spoil *.$kind"
      [ "$(pg-consume t)" = "$(seq 600)" ]
      for offset in 1 77 300 599; do [ "$(pg-consume -n 1 -o $offset t)" = $((offset + 1)) ]; done
      [ "$(pg-consume -o @-1h t | wc -l)" -eq 600 ]
      seq 601 700 | pg-produce --batch-bytes 200 t
      [ "$(pg-consume t)" = "$(seq 700)" ]
    done
  done
}

@test "a .log that was cut short is damage, and no offset is used twice" {
  local i
  for i in 1 2 3; do pg-produce t "$i"; done
  truncate -s -10 "$(log t)"
  fails 6 "*" pg-consume t
  pg-produce t 4
  [ "$(pg-consume -f '%o %v' -o 3 t)" = '3 4' ]
  run pg-topic verify t
  [ "$status" -eq 6 ]
}

@test "a checkpoint that is spoilt costs an intact log nothing" {
  seq 5 | pg-produce t
  echo nonsense >"$PG_HOME/brokers/0/recovery-point-offset-checkpoint"
  rm "$(partition t)/partition.state"
  [ "$(pg-consume -q t)" = "$(seq 5)" ]
  rm "$(partition t)/leader-epoch-checkpoint" "$(partition t)/partition.state"
  [ "$(pg-consume -q t)" = "$(seq 5)" ]
  pg-topic verify -q t
}

@test "files of a newer version are refused and named" {
  pg-produce t x
  sed -i 's/"incompatible":0/"incompatible":1/' "$PG_HOME/topics/t/topic.json.v1"
  fails 1 "*newer version*topic.json.v1*" pg-consume t
  sed -i 's/"incompatible":1/"incompatible":0/; s/"read_only_compatible":0/"read_only_compatible":8/' "$PG_HOME/topics/t/topic.json.v1"
  [ "$(pg-consume t)" = x ]
  fails 1 "*" pg-produce t y
  echo '{' >"$PG_HOME/topics/t/topic.json.v1"
  fails 6 "*malformed*topic.json.v1*" pg-consume t
}

@test "a page that is older than its log, in the same boot, costs no record" {
  local how
  for how in '' '--batch-bytes 1' '--flush never --batch-bytes 1'; do
    echo "how: $how"
    rm -rf "$PG_HOME"
    pg-topic create t -c segment.bytes=1024
    seq 5 | pg-produce t
    cp "$(partition t)/partition.state" old
    # shellcheck disable=SC2086
    seq 6 30 | pg-produce $how t
    cat old >"$(partition t)/partition.state"
    run --separate-stderr pg-consume t
    [ "$status" -eq 0 ]
    [ "$output" = "$(seq 30)" ]
    [[ $stderr == *"the state of 't-0' does not fit its files"* ]]
    pg-produce t 31
    [ "$(pg-consume t)" = "$(seq 31)" ]
    pg-topic verify -q t
    [ -z "$(find "$PG_HOME" -name '*.torn*')" ]
    # and where the writer comes first
    cat old >"$(partition t)/partition.state"
    pg-produce t 32
    [ "$(pg-consume t)" = "$(seq 32)" ]
  done
}

@test "the next process notices a .log that was copied into a topic, whatever copied it" {
  local records copy first
  for records in 1 40; do
    pg-topic create "from$records"
    seq "$records" | pg-produce --batch-bytes 1 "from$records"
    for copy in cp 'cp --remove-destination' 'install -m 644' 'cp --reflink=auto --preserve'; do
      for first in reader writer; do
        echo "$records, $copy, $first"
        pg-topic create t
        $copy "$(log "from$records")" "$(log t)"
        [ $first = writer ] || [ "$(pg-consume t)" = "$(seq "$records")" ]
        pg-produce t next
        [ "$(pg-consume t)" = "$(seq "$records"; echo next)" ]
        pg-topic verify -q t
        [ -z "$(find "$PG_HOME" -name '*.torn*')" ]
        pg-topic delete --yes t
      done
    done
  done
}

@test "a follower prints what is copied into its topic while it waits" {
  seq 40 | pg-produce --batch-bytes 1 from
  pg-topic create t
  pg-consume -F t >out 3>&- &
  local reader=$!
  until_true grep -q "$(partition t)/partition.state" "/proc/$reader/maps"
  cp --remove-destination "$(log from)" "$(log t)"
  until_true grep -qx 40 out
  pg-produce t next
  until_true grep -qx next out
  kill "$reader"
  wait "$reader" || true
  [ "$(cat out)" = "$(seq 40; echo next)" ]
}

@test "what no log can hold goes to a .torn file, with a message" {
  seq 3 | pg-produce t
  cp "$(log t)" batch
  cat batch >>"$(log t)"   # its offsets are there already
  run --separate-stderr pg-produce t 4
  [ "$status" -eq 0 ]
  [[ $stderr == *"kept what was cut off 't-0' in "*.torn-1* ]]
  cmp batch "$(partition t)/00000000000000000000.torn-1"
  [ "$(pg-consume t)" = "$(seq 4)" ]
}

# in_container ID COMMAND...: with another boot id, as systemd-nspawn gives one
in_container() {
  local id=$1
  shift
  printf '%s\n' "$id" >boot_id
  # shellcheck disable=SC2016
  unshare --mount sh -c 'mount --bind boot_id /proc/sys/kernel/random/boot_id && exec "$@"' sh "$@"
}
readonly ONE=11111111-2222-3333-4444-555555555555 OTHER=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee

@test "a home is not shared by a host and a container with a boot id of its own; one that has it alone works" {
  in_container $ONE true || skip "no mount namespaces here"
  seq 3 | in_container $ONE pg-produce t
  in_container $OTHER pg-produce t 4
  [ "$(in_container $OTHER pg-consume t)" = "$(seq 4)" ]
  fails 1 "*boot id*kernel's*" pg-produce t 5
  rm -rf "$PG_HOME"
  seq 3 | pg-produce t
  fails 1 "*boot id*kernel's*/proc/sys/kernel/random/boot_id*" in_container $ONE pg-produce t 4
  fails 1 "*boot id*" in_container $ONE pg-consume t
  pg-produce t 4
  [ "$(pg-consume -f '%v %e|' t)" = '1 0|2 0|3 0|4 0|' ]   # nobody rebuilt anything
}

@test "a page that may only be read is never written to" {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  pg-produce t x
  pg-topic create -c flush.messages=1 u
  chmod -R a+rwX .
  setpriv --reuid 65534 --clear-groups test -x "$PG_BIN/pg-produce" -a -w "$PG_HOME" || skip "nobody may not run the tools"
  find "$PG_HOME" -name partition.state -exec chmod 644 {} +
  local command
  for command in 'pg-produce t y' 'pg-produce --input-id p t y' 'pg-topic trim --yes -o 1 t' 'pg-topic compact t' \
    'pg-topic alter -c retention.ms=1000 t' 'pg-consume -g g t' 'pg-topic delete --yes t' 'pg-topic repair --yes t'; do
    echo "$command"
    # shellcheck disable=SC2086
    run setpriv --reuid 65534 --clear-groups $command </dev/null
    echo "$status $output"
    [ "$status" -lt 128 ]
  done
}
