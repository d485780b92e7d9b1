# pg-produce --input-id: an input sent again adds nothing twice.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; run sets stderr
load helper

# says TEXT COMMAND...: the command succeeds and says TEXT (a pattern) on stderr
says() {
  local text=$1
  shift
  run --separate-stderr "$@"
  echo "status $status, stderr: $stderr"
  [ "$status" -eq 0 ]
  # shellcheck disable=SC2053 # a pattern is meant
  [[ $stderr == $text ]]
}

# holds PID: the process has its name
holds() { grep -qsx "$1" "$PG_HOME"/locks/producer-*.holder; }

produce() { pg-produce --input-id nightly t; }

# A producer that has the name until descriptor 7 is closed; `first` is its process
start_first() {
  pg-topic create t # else the name is taken with the first record, which makes the topic
  mkfifo pipe
  pg-produce --input-id nightly t < pipe 3>&- &
  first=$!
  exec 7> pipe
  until_true holds $first
}

@test "the option's name of before still works, and a notice says what it is called now" {
  seq 3 > input
  says "pg-produce: --producer-id is called --input-id now: use that" pg-produce --producer-id nightly t < input
  says "pg-produce: 3 records were in 't' already" produce < input
  says "" pg-produce -q --producer-id=nightly t < input
  run pg-produce --help
  [[ $output != *--producer-id* ]]
}

@test "the same input again adds nothing, and a grown one its new lines" {
  seq 10 > input
  says "" produce < input
  says "pg-produce: 10 records were in 't' already" produce < input
  seq 11 15 >> input
  says "pg-produce: 10 records were in 't' already" produce < input
  pg-consume t | cmp - input
  says "pg-produce: 4 records were in 't' already; it has 11 more that are not in the input" produce < <(head -4 input)
  says "" pg-produce -q --input-id nightly t < input
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t15' ]
  pg-topic verify
}

@test "a different input is refused, its first differing line is named, and nothing is written" {
  local n
  seq 100 > input
  produce < input
  for n in 1 50 100; do
    sed "${n}s/.*/other/" input > changed
    seq 101 105 >> changed
    fails 8 "pg-produce: line $n: its value differs from that of offset $((n - 1)) in 't-0', where this record was written under this input id; 0 records written" \
      produce < changed
    sed "${n}d" input > changed
    seq 101 105 >> changed
    fails 8 "pg-produce: line $n: its value differs*; 0 records written" produce < changed
  done
  fails 8 "pg-produce: line 1: its key differs*" pg-produce --input-id nightly -k key t < input
  fails 8 "pg-produce: line 1: its headers differs*" pg-produce --input-id nightly -H a=b t < input
  pg-consume t | cmp - input
  says "pg-produce: 100 records*" produce < input
}

@test "with several partitions, a line that moved to another one is named too" {
  pg-topic create t --partitions 12
  seq 200 | sed 's/.*/k&:v&/' > input
  pg-produce --input-id nightly -K : t < input
  for n in 1 77 200; do
    sed "${n}s/^k/other/" input > changed
    seq 201 205 | sed 's/.*/k&:v&/' >> changed
    fails 8 "pg-produce: line $n: *; 0 records written" pg-produce --input-id nightly -K : t < changed
  done
  seq 201 205 | sed 's/.*/k&:v&/' >> input
  says "pg-produce: 200 records*" pg-produce --input-id nightly -K : t < input
  pg-consume -K : t | sort | cmp - <(sort input)
  pg-topic verify
}

@test "a topic that has another number of partitions by now is refused" {
  pg-topic create t --partitions 3
  seq 10 | produce
  pg-topic alter --partitions 4 --accept-key-move t
  fails 8 "pg-produce: topic 't' has 4 partitions, and had 3 when input id 'nightly' was first used*" produce <<< 1
}

@test "a second process with the name gets exit 4 and is told who has it; another topic or name is free" {
  start_first
  fails 4 "pg-produce: input id 'nightly' is in use for topic 't' by process $first" produce <<< 1
  echo 1 | pg-produce --input-id nightly u
  echo 1 | pg-produce --input-id another t
  exec 7>&-
  wait $first
  [ "$(ls "$PG_HOME/locks")" = producers ]
  says "" pg-produce --input-id nightly t <<< 2
}

@test "a killed process lets go of the name" {
  start_first
  kill -9 $first
  wait $first || true
  exec 7>&-
  seq 3 | produce
  [ "$(ls "$PG_HOME/locks")" = producers ]
}

@test "names may be any bytes, up to 255 of them" {
  local name long
  long=$(printf '%255s' x)
  for name in / .. '-' 'a b' $'new\nline' $'\xff\xfe' "$long"; do
    seq 3 | pg-produce --input-id="$name" t
    says "pg-produce: 3 records*" pg-produce --input-id="$name" t < <(seq 3)
  done
  [ "$(pg-consume t | wc -l)" -eq 21 ]
  fails 2 "*--input-id*" pg-produce --input-id "x$long" t 1
  fails 2 "*--input-id*" pg-produce --input-id= t 1
}

@test "a partitioner that places a record elsewhere each time is refused" {
  local name
  for name in random round-robin sticky; do
    fails 2 "*--input-id needs a partitioner*" pg-produce --input-id x --partitioner "$name" t 1
  done
  fails 2 "*-T*--input-id*" pg-produce --input-id x -T t
  pg-topic create t --partitions 3
  seq 10 | pg-produce --input-id x --partitioner crc32 t
  says "pg-produce: 10 records*" pg-produce --input-id x --partitioner crc32 t < <(seq 10)
}

@test "messages, files, keys, headers and JSON are compared as well" {
  says "" pg-produce --input-id m -k k -H a=b t one two
  says "pg-produce: 2 records*" pg-produce --input-id m -k k -H a=b t one two
  fails 8 "pg-produce: message 2: its value*" pg-produce --input-id m -k k -H a=b t one three
  echo content > file
  says "" pg-produce --input-id f --file file --file file t
  says "pg-produce: 2 records*" pg-produce --input-id f --file file --file file --file file t
  echo other > other
  fails 8 "pg-produce: file 2: its value*" pg-produce --input-id f --file file --file other t
  pg-topic create two --partitions 2
  printf '%s\n' '{"partition":1,"key":"k","value":"a","timestamp":1}' '{"partition":0,"value":null}' > records
  says "" pg-produce --json --input-id j two < records
  sed -i 's/"timestamp":1/"timestamp":2/' records
  says "pg-produce: 2 records*" pg-produce --json --input-id j two < records
  sed -i 's/"partition":1/"partition":0/' records
  fails 8 "pg-produce: line 1: *" pg-produce --json --input-id j two < records
}

@test "bad input ends a run after the records before it, and the mended input goes on" {
  printf 'a:1\nb:2\nbad\nc:3\n' > input
  fails 2 "pg-produce: line 3: *; 2 records written" pg-produce --input-id x -K : t < input
  fails 2 "pg-produce: line 3: *; 0 records written" pg-produce --input-id x -K : t < input
  sed -i 's/bad/b:ad/' input
  says "pg-produce: 2 records*" pg-produce --input-id x -K : t < input
  pg-consume -K : t | cmp - input
}

@test "the names are kept in an internal topic, and batches show the producer" {
  seq 3 | produce
  [ "$(pg-topic list)" = t ]
  [ "$(pg-topic list --internal)" = $'__producer_ids\nt' ]
  local id
  id=$(pg-topic dump --json t | jq -r 'select(.type=="batch")|"\(.producer_id) \(.producer_epoch) \(.base_sequence)"')
  [[ $id =~ ^[0-9]+\ 0\ 0$ ]]
  [[ $(pg-topic dump t) == *"  producer ${id%% *}  producer epoch 0  sequence 0  crc ok"* ]]
  seq 5 | produce
  pg-topic dump --json t | jq -r 'select(.type=="batch").base_sequence' | cmp - <(printf '0\n3\n')
  # A topic that was deleted and made again is another one.
  pg-topic delete --yes t
  says "" produce < <(seq 2)
  [ "$(pg-consume t)" = $'1\n2' ]
}

@test "compacting the names forgets none" {
  local n
  for n in 1 2 3 1 2 3; do seq "$n" | pg-produce -q --input-id "name $n" t; done
  [ "$(pg-topic describe --json __producer_ids | jq -r '.config["cleanup.policy"]')" = compact ]
  pg-topic compact __producer_ids
  for n in 1 2 3; do says "pg-produce: $n records*" pg-produce --input-id "name $n" t < <(seq "$n"); done
  [ "$(pg-consume t | wc -l)" -eq 6 ]
}

@test "snapshots outlive the records they tell of" {
  pg-topic create t -c segment.bytes=1024
  seq 300 | pg-produce --batch-bytes 200 --input-id x t
  ls "$(partition t)"/*.snapshot
  rm "$(log t)"
  says "pg-produce: 300 records were in 't' already (* of them are gone by now, and were not compared)" \
    pg-produce --input-id x t < <(seq 300)
}
