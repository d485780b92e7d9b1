load helper

# A topic of small segments with the lines 1 to 300.
small_segments() {
  pg-topic create t -c segment.bytes=1024 "$@"
  seq 300 | pg-produce --batch-bytes 100 t
}

segments() { pg-topic describe --json t | jq '.partitions[0].segments'; }

@test "trim deletes what is below an offset, and nothing without --yes" {
  small_segments
  local before
  before=$(segments)
  fails 2 "*add --yes*" pg-topic trim t -o 150
  fails 2 "*-o*" pg-topic trim t --yes
  fails 2 "*no range*" pg-topic trim t -o 1:5 --yes
  [ "$(pg-consume t | head -1)" = 1 ]
  pg-topic trim t -o 150 --yes
  [ "$(pg-topic offsets t)" = $'t\t0\t150\t300' ]
  [ "$(segments)" -lt "$before" ]
  pg-consume t | cmp - <(seq 151 300)
  pg-topic verify t
  [ "$(pg-topic trim t -o -10 -y --json | jq -c '[.topic,.partition,.log_start_offset]')" = '["t",0,290]' ]
  pg-consume t | cmp - <(seq 291 300)
  pg-topic trim t -o 200 --yes
  [ "$(pg-topic offsets t)" = $'t\t0\t290\t300' ]
}

@test "trim: not above the end, by time, and everything" {
  pg-topic create t --partitions 2
  pg-produce -p 0 t old
  sleep 0.01
  local now
  now=$(date +%s%3N)
  sleep 0.01
  seq 5 | pg-produce -p 0 t
  fails 3 "*ends at 6*" pg-topic trim t -p 0 -o 7 --yes
  fails 3 "*no partition 2*" pg-topic trim t -p 2 -o 1 --yes
  fails 3 "*does not exist*" pg-topic trim nothing -o 1 --yes
  pg-topic trim t -o "@$now" --yes
  [ "$(pg-topic offsets t)" = $'t\t0\t1\t6\nt\t1\t0\t0' ]
  pg-topic trim t -o end --yes
  [ "$(pg-topic offsets t)" = $'t\t0\t6\t6\nt\t1\t0\t0' ]
  [ "$(pg-topic describe --json t | jq -c '.partitions[0]|[.segments,.bytes]')" = '[1,0]' ]
  [ -z "$(pg-consume t)" ]
  pg-produce -p 0 t new
  [ "$(pg-consume -f '%o %v' t)" = "6 new" ]
  pg-topic verify t
}

@test "reading what was deleted is exit 3, also for a follower that is overtaken" {
  pg-topic create t -c segment.bytes=65536
  seq 500000 | pg-produce --batch-bytes 8192 t
  mkfifo slow
  pg-consume -F t >slow 2>follower.err &
  local follower=$! first
  exec 8<slow
  read -r first <&8
  pg-topic trim t -o -10 --yes
  # It reads the segment that it has open to its end, and then says why it goes no further.
  cat <&8 >rest
  exec 8<&-
  ends_with 3 $follower
  grep "was deleted: the log now starts at 499990" follower.err
  (echo "$first"; cat rest) | cmp - <(seq $(($(wc -l <rest) + 1)))
  fails 3 "*no offset 10*" pg-consume -o 10 t
  pg-consume t | cmp - <(seq 499991 500000)
}

@test "retention by size deletes when a segment is full, and compact does it from cron" {
  small_segments -c retention.bytes=2000 -c file.delete.delay.ms=0
  local start
  start=$(pg-topic offsets t | cut -f 3)
  [ "$start" -gt 0 ]
  pg-consume t | cmp - <(seq $((start + 1)) 300)
  [ -z "$(pg-topic compact)" ]
  pg-topic alter t -c retention.bytes=0
  [ "$(pg-topic compact --json t | jq -c 'select(.deleted_segments > 0)|[.topic,.partition]')" = '["t",0]' ]
  [ "$(segments)" -eq 1 ]
  pg-topic verify t
}

@test "retention by age takes the active segment too, but only in compact" {
  small_segments -c file.delete.delay.ms=0
  pg-topic compact t
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t300' ]
  pg-topic alter t -c retention.ms=1
  sleep 0.01
  pg-topic compact t
  [ "$(pg-topic offsets t)" = $'t\t0\t300\t300' ]
  [ "$(find "$(partition t)" -name '*.log*' | wc -l)" -eq 1 ]
  fails 2 "*cleanup.policy*" pg-topic alter t -c cleanup.policy=never
}

@test "files that retention deletes stay a while under another name" {
  small_segments -c retention.bytes=0
  [ "$(find "$(partition t)" -name '*.log.deleted' | wc -l)" -gt 0 ]
  pg-topic alter t -c file.delete.delay.ms=0
  pg-topic compact t
  [ "$(find "$(partition t)" -name '*.deleted' | wc -l)" -eq 0 ]
}

@test "compaction keeps the last value of each key, and readers see no difference in it" {
  pg-topic create t -c cleanup.policy=compact -c segment.bytes=2048 -c min.cleanable.dirty.ratio=0
  fails 2 "*line 2*needs a key*1 records written" eval 'printf "a:1\nno key\n" | pg-produce -K : --key-optional t'
  seq 2000 | awk '{ print "k" $1 % 7 ":" $1 }' | pg-produce -K : --batch-bytes 200 t
  pg-produce -Z -k k3 t ''
  pg-produce -k last t record
  local before
  before=$(pg-consume -K : t | awk -F : '{ v[$1] = $2 } END { for (k in v) print k, v[k] }' | sort)
  [ "$(pg-topic compact --json t | jq '.compacted_records > 1000')" = true ]
  [ "$(pg-consume -K : t | awk -F : '{ v[$1] = $2 } END { for (k in v) print k, v[k] }' | sort)" = "$before" ]
  [ "$(pg-consume t | wc -l)" -lt 500 ]
  pg-topic verify t
  pg-consume -f '%o\n' t | sort -nuc
  [ "$(pg-consume --last 3 -f '%o ' t)" = "2000 2001 2002 " ]
  [ "$(pg-consume -o 5 -n 1 -f '%o' t)" = "$(pg-consume -f '%o\n' t | awk '$1 >= 5' | head -1)" ]
  pg-topic alter t -c segment.bytes=1024
  seq 100 | awk '{ print "k" $1 % 7 ":" $1 }' | pg-produce -K : --batch-bytes 200 t
  pg-topic compact t
  seq 100 | awk '{ print "k" $1 % 7 ":" $1 }' | pg-produce -K : --batch-bytes 200 t
  [ "$(pg-consume --last 105 t | wc -l)" -eq 105 ]
}

@test "a producer that runs obeys changed configs" {
  pg-topic create t
  mkfifo input
  pg-produce --flush never --batch-bytes 100 t <input &
  local producer=$!
  exec 9>input
  echo 0 >&9
  until_true eval '[ "$(pg-consume t)" = 0 ]'
  [ "$(segments)" -eq 1 ]
  pg-topic alter t -c segment.bytes=1024
  seq 300 >&9
  exec 9>&-
  ends_with 0 $producer
  [ "$(segments)" -gt 1 ]
  pg-consume t | cmp - <(seq 0 300)
}

@test "alter: configs come and go, partitions only come" {
  pg-topic create t -c segment.bytes=4096 -c retention.ms=1000
  fails 2 "*what to change*" pg-topic alter t
  fails 2 "*unknown config*" pg-topic alter t --unset nonsense
  fails 3 "*does not exist*" pg-topic alter nothing -c segment.bytes=4096
  pg-topic alter t -c segment.bytes=8192 --unset retention.ms
  [ "$(pg-topic describe --json t | jq -c .config)" = '{"segment.bytes":"8192"}' ]
  seq 3 | pg-produce t
  fails 2 "*--accept-key-move*" pg-topic alter t --partitions 3
  pg-topic alter t --partitions 3 --accept-key-move
  fails 2 "*never fewer*" pg-topic alter t --partitions 2
  pg-produce -p 2 t there
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t3\nt\t1\t0\t0\nt\t2\t0\t1' ]
  pg-topic delete -y t
  [ "$(find "$PG_HOME/brokers/0" -name 't-*' | wc -l)" -eq 0 ]
}

@test "readers go on while a topic is compacted" {
  pg-topic create t -c cleanup.policy=compact -c segment.bytes=4096 -c min.cleanable.dirty.ratio=0
  seq 20000 | awk '{ print "k" $1 % 100 ":" $1 }' | pg-produce -K : --batch-bytes 500 t
  local i reader failed=0
  local readers=()
  for i in 1 2 3; do
    (for ((n = 0; n < 15; n++)); do
      [ "$(pg-consume -K : t | cut -d : -f 1 | sort -u | wc -l)" -eq 100 ] || exit 1
    done) &
    readers+=($!)
  done
  for i in {1..5}; do
    seq $((i * 1000)) | awk '{ print "k" $1 % 100 ":" $1 }' | pg-produce -K : --batch-bytes 500 t
    pg-topic compact t
  done
  for reader in "${readers[@]}"; do wait "$reader" || failed=1; done
  [ "$failed" -eq 0 ]
  pg-topic verify t
}

@test "a trim while somebody compacts brings no deleted key back" {
  pg-topic create t -c cleanup.policy=compact -c min.cleanable.dirty.ratio=0 -c delete.retention.ms=0 -c segment.bytes=1024
  # Segments: a b, OLD c, the tombstone of K and d, e f. Compaction takes the first two as one.
  local record short long
  short=$(printf '%0200d' 0) long=$(printf '%0700d' 0)
  for record in "a:$short" "b:$short" "K:OLD$long" "c:${short:40}" K: "d:$long" "e:$short" "f:$short"; do pg-produce -Z -K : t "$record"; done
  pg-topic alter t -c segment.bytes=1600
  [ "$(find "$(partition t)" -name '*.log' | wc -l)" -eq 4 ]
  command -v strace >/dev/null || skip "needs strace"
  strace -f -qq -o trace -e trace=fdatasync -e inject=fdatasync:delay_enter=2000000:when=1 pg-topic compact t &
  local compacting=$!
  sleep 1
  pg-topic trim t -o 2 --yes
  ends_with 0 $compacting
  local i
  for i in 1 2 3; do
    pg-produce -k "n$i" t x
    pg-topic compact t
    [ "$(pg-consume -K : t | grep -c '^K:OLD')" -eq 0 ] || [ "$(pg-consume -f '%k\n' t | grep -c '^K')" -gt 1 ]
  done
  [ -z "$(pg-consume -K : t | grep '^K:OLD')" ]
  pg-topic verify t
}

@test "compact closes an active segment that is worth it, and says why it did nothing" {
  pg-topic create t -c cleanup.policy=compact
  seq 4000 | awk '{ print "k" $1 % 20 ":" $1 }' | pg-produce -K : t
  [ "$(pg-topic compact --json t | jq .compacted_records)" -eq 3980 ]
  [ "$(pg-consume t | wc -l)" -eq 20 ]
  run --separate-stderr pg-topic compact -v t
  [ "$status" -eq 0 ]
  [[ $stderr == *"not compacted: all closed segments are compacted already"* ]]
  pg-topic compact --json t | jq -e '.not_compacted | test("already")'
}

@test "a record of the future keeps what is behind it, and compact says so, with what to do" {
  pg-topic create t -c segment.bytes=1024 -c file.delete.delay.ms=0
  pg-produce t --timestamp 2099-01-01T00:00:00Z future
  seq 300 | pg-produce --batch-bytes 100 t
  pg-topic alter t -c retention.ms=1
  sleep 0.01
  run --separate-stderr pg-topic compact t
  [ "$status" -eq 0 ]
  [[ $stderr == *"2099-01-01T00:00:00.000Z, in the future"* ]]
  local remedy=${stderr#*\'pg-topic trim} first
  remedy=${remedy%\')*}
  eval "pg-topic trim $remedy"
  pg-topic compact t
  first=$(pg-topic offsets t | cut -f 3)
  [ "$first" -ge 250 ]
  pg-topic verify t
}
