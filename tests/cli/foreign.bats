# Logs that others have written, and that dump and verify change nothing.
load helper

# cut_out FILE N: takes the Nth batch out of a segment
cut_out() {
  /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import struct, sys
path, n = sys.argv[1], int(sys.argv[2])
data, at, batches = open(path, "rb").read(), 0, []
while at < len(data):
    size = 12 + struct.unpack_from(">i", data, at + 8)[0]
    batches.append(data[at:at + size])
    at += size
del batches[n]
open(path, "wb").write(b"".join(batches))
PYTHON
}

# forget TOPIC: nothing is left beside the logs, as where they were copied in
forget() {
  local directory
  directory=$(partition "$1")
  rm -f "$directory"/partition.state "$directory"/*index "$directory"/leader-epoch-checkpoint "$PG_HOME"/brokers/0/*checkpoint
}

# state_of DIRECTORY: names, sizes, times and contents of all files
state_of() {
  (cd "$1" && find . -printf '%p %y %s %T@ %C@ %m %i\n' | sort && find . -type f -exec sha256sum {} + | sort)
}

# unchanged STATUS COMMAND...: it ends with one of the statuses, and no file is another one afterwards
unchanged() {
  local before statuses=$1 status=0
  shift
  before=$(state_of "$PG_HOME")
  "$@" >out 2>err || status=$?
  echo "$* ended with $status: $(cat err)"
  [[ " $statuses " == *" $status "* ]]
  diff <(echo "$before") <(state_of "$PG_HOME")
}

@test "a log with gaps is read, verified and kept; only in one that is known to have none is one a fault" {
  for n in 0 1 2; do pg-produce m $n; done
  cp -a "$PG_HOME" "$PG_HOME.whole"
  cut_out "$(log m)" 1
  forget m
  local sum
  sum=$(sha256sum <"$(log m)")
  unchanged 0 pg-topic verify m
  [ ! -s out ]
  unchanged 0 pg-topic dump m
  [ "$(grep -c 'crc ok' out)" = 2 ]
  [ "$(pg-consume -f '%o %v\n' m)" = "$(printf '0 0\n2 2')" ]
  pg-topic verify m
  [ "$(sha256sum <"$(log m)")" = "$sum" ]
  pg-produce m 3
  rm "$(partition m)/partition.state"
  [ "$(pg-consume -f '%o %v\n' m)" = "$(printf '0 0\n2 2\n3 3')" ]
  pg-topic verify m
  [ "$(pg-topic repair m 2>&1)" = "" ]

  rm -r "$PG_HOME"
  mv "$PG_HOME.whole" "$PG_HOME"
  cut_out "$(log m)" 1
  rm "$(partition m)"/partition.state "$(partition m)"/*index
  sum=$(sha256sum <"$(log m)")
  unchanged 6 pg-topic verify m
  grep -q 'offsets 1 to 1 are missing before this batch' out
  run -6 --separate-stderr pg-consume m
  [ "$output" = 0 ]
  [ "$(sha256sum <"$(log m)")" = "$sum" ]
  run -6 --separate-stderr pg-consume -q --skip-damaged m
  [ "$output" = "$(printf '0\n2')" ]
}

@test "a log with gaps that was copied into a new topic is read" {
  for n in 0 1 2 3; do pg-produce a $n; done
  cut_out "$(log a)" 2
  pg-topic create t
  cp "$(log a)" "$(log t)"
  rm "$(partition t)"/partition.state
  [ "$(pg-consume -f '%o %v\n' t)" = "$(printf '0 0\n1 1\n3 3')" ]
  pg-produce t 4
  [ "$(pg-consume t | tail -n 1)" = 4 ]
  pg-topic verify t
}

@test "repair loses no batch that --skip-damaged prints" {
  for n in $(seq 0 7); do pg-produce t "$n"; done
  cut_out "$(log t)" 3
  cut_out "$(log t)" 3
  local readable
  readable=$(pg-consume -q --skip-damaged t) || [ $? -eq 6 ]
  [ "$readable" = "$(printf '%s\n' 0 1 2 5 6 7)" ]
  pg-topic repair --yes t >/dev/null || [ $? -eq 6 ]
  [ "$(pg-consume t)" = "$readable" ]
  pg-topic verify t
}

@test "dump and verify change nothing, whatever state the files are in" {
  pg-topic create t -c segment.bytes=1024 -c max.message.bytes=1024
  for n in $(seq 12); do pg-produce t "$n $(printf '%0300d' 0)"; done
  cp -a "$PG_HOME" whole
  local spoil directory=$PG_HOME/brokers/0/t-0
  for spoil in : 'rm $directory/partition.state' 'rm $directory/*index' 'rm $directory/partition.state $directory/*index' \
    'head -c 16 /dev/urandom | dd of=$directory/partition.state bs=1 seek=24 conv=notrunc status=none' \
    'printf torn >>$(ls $directory/*.log | tail -n 1)' \
    'printf torn >>$(ls $directory/*.log | tail -n 1); rm $directory/partition.state' \
    'truncate -s -5 $(ls $directory/*.log | tail -n 1)' 'flip $(log t) 80' 'flip $(log t) 80; rm $directory/partition.state' \
    'rm $(log t)' 'rm $directory/partition.lock' 'rm $directory/partition.lock $directory/partition.state' \
    'rm $directory/leader-epoch-checkpoint $directory/partition.state' 'rm $PG_HOME/brokers/0/*checkpoint $directory/partition.state' \
    'rm $directory/*.log' 'truncate -s 100 $directory/partition.state' 'rm $directory/*.index; mkdir $directory/00000000000000000000.index'; do
    echo "$spoil"
    rm -rf "$PG_HOME"
    cp -a whole "$PG_HOME"
    eval "$spoil"
    unchanged '0 6' pg-topic verify t
    unchanged '0 6' pg-topic dump --records --index t
    [ ! -e "$(log t)" ] || unchanged '0 6' pg-topic dump "$(log t)"
  done
}

@test "messages of formats 0 and 1 are named, exit 6, and nothing is cut" {
  pg-produce t a
  forget t
  /usr/bin/python3 - "$(log t)" <<'PYTHON'
import struct, sys, zlib
body = struct.pack(">bbq", 1, 0, 1700000000000) + struct.pack(">i", -1) + struct.pack(">i", 5) + b"hello"
with open(sys.argv[1], "ab") as log:
    log.write(struct.pack(">qi", 1, len(body) + 4) + struct.pack(">I", zlib.crc32(body)) + body)
PYTHON
  local sum command
  sum=$(sha256sum <"$(log t)")
  unchanged 6 pg-topic verify t
  grep -q 'message format 1 is not supported' out
  unchanged 6 pg-topic dump t
  grep -q 'message format 1 is not supported' err
  for command in 'pg-consume t' 'pg-produce t b' 'pg-topic repair --yes t'; do
    fails 6 '*message format 1 is not supported*' $command
    [ "$(sha256sum <"$(log t)")" = "$sum" ]
  done
}

@test "something else in the place of an index goes aside, and the index is made again" {
  seq 5 | pg-produce t
  local index made
  index=$(partition t)/00000000000000000000.index
  for made in 'mkdir "$index"' 'ln -s /dev/null "$index"' '/usr/bin/python3 -c "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "$index"'; do
    rm -f "$index"
    eval "$made"
    [ "$(pg-consume t)" = "$(seq 5)" ]
    rm "$(partition t)/partition.state"
    run --separate-stderr pg-consume t
    [ "$status" -eq 0 ]
    [ "$output" = "$(seq 5)" ]
    [[ $stderr == *".index.aside-"* ]]
    [ -f "$index" ] && [ ! -L "$index" ]
    pg-topic verify t
  done
}

@test "something else in the place of a file that is no log goes aside in a repair, and the file is made again" {
  local name path made
  for name in partition.state partition.lock partition.metadata leader-epoch-checkpoint; do
    for made in 'mkdir "$path"' 'ln -s /dev/null "$path"'; do
      echo "$name $made"
      rm -rf "$PG_HOME"
      seq 5 | pg-produce t
      path=$(partition t)/$name
      rm "$path"
      eval "$made"
      run pg-topic verify t
      [ "$status" -eq 6 ]
      [[ $output == *"$name"* ]]
      run pg-topic repair t
      [ "$status" -eq 6 ]
      [ ! -f "$path" ] || [ -L "$path" ]
      pg-topic repair --yes t
      [ -f "$path" ] && [ ! -L "$path" ]
      ls -d "$path".aside-1
      [ "$(pg-consume t)" = "$(seq 5)" ]
      pg-topic verify t
    done
  done
}

@test "files of another topic are named as such, and become this one's when somebody says so" {
  seq 5 | pg-produce a
  pg-topic create t
  cp "$(partition a)"/* "$(partition t)"
  fails 6 "*see 'pg-topic repair'*" pg-consume t
  fails 3 "*files of another topic*remove that file*partition.metadata)" pg-topic repair --yes t
  rm "$(partition t)/partition.metadata"
  pg-topic repair --yes t
  [ "$(pg-consume t)" = "$(seq 5)" ]
  pg-topic verify
}

@test "a log that is copied beside the empty segment of a topic in use is found" {
  seq 101 130 | pg-produce a
  pg-topic trim -o end --yes a # its log goes on at offset 30
  seq 131 135 | pg-produce a
  pg-topic create t
  [ -z "$(pg-consume t)" ] # the state page counts
  cp "$(partition a)"/*30.log "$(partition t)"
  [ "$(pg-consume -f '%o %v\n' t)" = $'30 131\n31 132\n32 133\n33 134\n34 135' ]
  pg-produce t next
  [ "$(pg-consume -o -1 -f '%o %v' t)" = '35 next' ]
  pg-topic verify t
}

@test "where the page knows of a segment whose file is gone or cut, no command takes the topic for whole" {
  pg-topic create other
  local spoil command
  for spoil in 'rm "$(log t)"' 'truncate -s 20 "$(log t)"'; do
    for command in 'pg-topic describe' 'pg-topic offsets' 'pg-topic describe t' 'pg-topic offsets t' 'pg-topic verify' 'pg-consume t'; do
      echo "$spoil; $command"
      pg-topic delete --yes t 2>/dev/null || true
      seq 5 | pg-produce t
      eval "$spoil"
      run --separate-stderr $command
      [ "$status" -eq 6 ]
    done
  done
  pg-topic delete --yes t
  seq 5 | pg-produce t
  rm "$(log t)"
  fails 6 "*has no segment files*" pg-topic trim -o 1 --yes t
}

@test "a timestamp of -1 is none, and any other is what it says, in both directions" {
  printf '{"value":"none","timestamp":-1}\n{"value":"far","timestamp":1700000000000000}\n{"value":"early","timestamp":-62167219200001}\n' |
    pg-produce --json a
  [ "$(pg-consume -f '%v %T %d\n' a)" = "none -1 none
far 1700000000000000 +055840-11-08T22:13:20.000Z
early -62167219200001 -000001-12-31T23:59:59.999Z" ]
  pg-consume --json a | pg-produce --json b
  [ "$(pg-consume -f '%v %T\n' b)" = "$(pg-consume -f '%v %T\n' a)" ]
  pg-produce c x
  printf '{"value":"none","timestamp":-1}\n' | pg-produce --json c
  [ "$(pg-topic dump --records c | grep -c 'time none')" -ge 1 ]
  [ "$(pg-consume -o @2020-01-01 c)" = "$(printf 'x\nnone')" ]
  [ "$(pg-consume -o @2020-01-01 -f '%o' -n 1 c)" = 0 ]
  # records without a time do not end a segment
  for n in 1 2 3; do printf '{"value":"%s","timestamp":-1}\n' $n | pg-produce --json d; pg-produce d now; done
  [ "$(ls "$(partition d)"/*.log | wc -l)" = 1 ]
}
