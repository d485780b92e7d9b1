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
