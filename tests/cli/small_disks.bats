# Disks that are full, small, limited or read-only, as the kernel makes them: no space is exit 7, what was written before is
# counted and readable, and deleting makes room.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell; run sets stderr
load helper

teardown() {
  if mountpoint -q "$BATS_TEST_TMPDIR/disk"; then umount "$BATS_TEST_TMPDIR/disk"; fi
}

# disk TYPE SIZE: a small disk of its own for the home
disk() {
  [ "$(id -u)" -eq 0 ] || skip "needs root to mount"
  mkdir disk
  if [ "$1" = tmpfs ]; then
    mount -t tmpfs -o size="$2" tmpfs disk || skip "cannot mount a tmpfs"
  else
    truncate -s "$2" image
    "mkfs.$1" -q -m 0 image
    mount -o loop image disk || skip "cannot mount a loop device"
  fi
  export PG_HOME=$PWD/disk/home
}

# fill: leaves no byte on the disk
fill() { run ! dd if=/dev/zero of=disk/fill bs=4k oflag=append conv=notrunc status=none; }

lines() { seq -f '%.0f of the records that are too many for this disk' "$@"; }

# stops_full COMMAND...: a producer of many lines that ends with 7; `written` is how many it says it has written
stops_full() {
  run --separate-stderr bash -c 'seq -f "%.0f of the records that are too many for this disk" 200000 | "$@"' _ "$@"
  echo "status $status, stderr: $stderr"
  [ "$status" -eq 7 ]
  [ "${#stderr_lines[@]}" -eq 1 ]
  [[ $stderr =~ \;\ ([0-9]+)\ records\ written$ ]]
  written=${BASH_REMATCH[1]}
}

# goes_on_after_delete: with a disk that is full of topic t
goes_on_after_delete() {
  [ "$written" -gt 1000 ]
  pg-consume t | cmp - <(lines "$written")
  pg-topic verify t
  [ "$(pg-topic offsets t)" = $'t\t0\t0\t'"$written" ]
  fill
  fails 7 "*" pg-topic create u --partitions 3
  [ -z "$(find "$PG_HOME/brokers/0" -name 'u-*')" ]
  fails 7 "*; 0 records written" bash -c 'seq 100000 | pg-produce t'
  rm "$(partition t)/partition.state"
  fill
  pg-consume t | cmp - <(lines "$written")
  pg-topic describe t
  pg-topic verify t
  fails 7 "*" pg-produce t x
  pg-topic delete --yes t
  rm disk/fill
  lines 1000 | pg-produce t
  pg-consume t | cmp - <(lines 1000)
  pg-topic verify t
}

@test "a 2 MiB tmpfs that a producer fills" {
  disk tmpfs 2m
  stops_full pg-produce t
  goes_on_after_delete
}

@test "an ext4 image that a producer fills, segment by segment" {
  disk ext4 4M
  pg-topic create t -c segment.bytes=100000
  stops_full pg-produce --batch-bytes 20K t
  goes_on_after_delete
}

@test "what was reported before the disk was full is there" {
  disk tmpfs 2m
  pg-topic create t --partitions 3
  local flush
  for flush in never exit; do
    stops_full pg-produce --report --flush "$flush" --batch-bytes 10K --partitioner round-robin t
    pg-topic offsets t | cut -f 2,4 >ends
    local p end
    while read -r p end; do
      pg-consume -p "$p" -f '%o\n' t | cmp - <(seq 0 $((end - 1)))
      [ "$(jq -s "map(select(.partition == $p) | .base_offset + .count) | max // 0" <<<"$output")" -le "$end" ]
    done <ends
    [ "$(jq -s 'map(.count) | add // 0' <<<"$output")" -le "$written" ]
    pg-topic verify t
  done
}

@test "many producers that fill a disk at once: each wrote the first of its lines" {
  disk tmpfs 2m
  pg-topic create t -c segment.bytes=50000
  local i pids=()
  for i in 1 2 3 4; do
    seq -f "$i %.0f" 100000 | pg-produce --batch-bytes 2K t 2>"said$i" &
    pids+=($!)
  done
  for i in 1 2 3 4; do ends_with 7 "${pids[i - 1]}"; done
  pg-consume t >out
  for i in 1 2 3 4; do
    sed -n 's/.*; \([0-9]*\) records written$/\1/p' "said$i" >written
    grep "^$i " out | cmp - <(seq -f "$i %.0f" "$(cat written)")
  done
  pg-topic verify t
}

@test "a file size limit is exit 7, and what fitted is there" {
  pg-topic create t -c segment.bytes=1000000
  ulimit -S -f 200 # KiB
  stops_full pg-produce --batch-bytes 10K t
  pg-consume t | cmp - <(lines "$written")
  pg-topic verify t
  ulimit -S -f unlimited
  pg-produce t more
  [ "$(pg-consume t | tail -n 1)" = more ]
  pg-topic verify t
}

@test "few file descriptors: done, or refused with 1 or 7, and the log is intact" {
  pg-topic create t --partitions 3 -c segment.bytes=1024
  seq 300 | pg-produce --partitioner round-robin --batch-bytes 100 t
  local limit command refused=0 more=0
  local limits='3 6 8 10 18'
  [ -z "${PG_LONG:-}" ] || limits=$(seq -s ' ' 3 20)
  for limit in $limits; do
    for command in 'pg-produce t x' 'pg-produce -p 2 t x' 'pg-consume t' 'pg-consume --last 3 t' 'pg-topic describe t' 'pg-topic verify t' \
      'pg-topic dump t' 'pg-topic create --partitions 2 u' 'pg-topic delete --yes u'; do
      run --separate-stderr bash -c "ulimit -n $limit; exec $command" # hard and soft
      case "$status $command" in
        '0 pg-produce'*) more=$((more + 1)) ;;
        0*) ;;
        [17]*)
          refused=$((refused + 1))
          [ "${#stderr_lines[@]}" -ge 1 ]
          if [[ $stderr =~ \;\ ([0-9]+)\ records\ written ]]; then more=$((more + BASH_REMATCH[1])); fi
          ;;
        3*' u' | 1*' u') ;; # made or deleted before, or not
        *) echo "$limit descriptors, $command: status $status, $stderr"; false ;;
      esac
      [[ $stderr != *terminate* ]]
    done
  done
  echo "$refused refused, $more more"
  [ "$refused" -gt 0 ]
  [ "$more" -gt 0 ]
  [ "$(pg-consume t | grep -v x | sort -n)" = "$(seq 300)" ]
  [ "$(pg-consume t | grep -c x)" -eq "$more" ]
  pg-topic verify
}

@test "a disk that is remounted read-only can be read, and refuses the rest with 1" {
  disk ext4 4M
  seq 1000 | pg-produce t
  mount -o remount,ro disk
  local page
  for page in there gone; do
    pg-consume t | cmp - <(seq 1000)
    pg-consume -o 500:502 t | cmp - <(seq 501 502)
    pg-topic describe t
    pg-topic verify t
    fails 1 "*" pg-produce t x
    fails 1 "*" pg-topic create u
    fails 1 "*" pg-topic delete --yes t
    mount -o remount,rw disk
    [ "$page" = gone ] || rm "$(partition t)/partition.state"
    mount -o remount,ro disk
  done
  mount -o remount,rw disk
  pg-produce t x
  pg-consume t | cmp - <(seq 1000; echo x)
}

@test "compaction and repair on a full disk end with 7 and change nothing; with room they do their work" {
  disk tmpfs 2m
  pg-topic create t -c segment.bytes=50000 -c cleanup.policy=compact
  seq -f '%.0f' 8000 | awk '{ print $1 % 40 "\t" $1 }' | pg-produce -K '\t' --batch-bytes 2K t
  pg-consume -f '%o %k %v\n' t >whole
  fill
  fails 7 "*" pg-topic compact t
  pg-consume -f '%o %k %v\n' t | cmp - whole
  pg-topic verify t
  printf XXXX | dd of="$(log t)" bs=1 seek=300 conv=notrunc status=none
  find "$PG_HOME" -name '*.log' -exec sha256sum {} + >before
  fails 7 "*" pg-topic repair --yes t
  sha256sum --quiet -c before
  rm disk/fill
  pg-topic repair --yes -q t
  pg-topic compact t
  pg-topic verify t
  [ "$(pg-consume -f '%k %v\n' t | awk '{ last[$1] = $2 } END { print length(last), last[39] }')" = "40 7999" ]
  [ "$(wc -l <whole)" -gt "$(pg-consume t | wc -l)" ]
}

@test "a full disk: trim, retention, alter and delete need no room" {
  disk tmpfs 1m
  pg-topic create f
  seq 60000 | pg-produce f
  fill
  pg-topic trim -o end --yes f
  [ "$(pg-topic offsets f)" = $'f\t0\t60000\t60000' ]
  [ "$(df --output=avail disk | tail -1)" -gt 100 ]
  pg-produce f x
  pg-topic verify f
  pg-topic create g -c segment.bytes=50000
  seq 40000 | pg-produce --batch-bytes 10K g
  fill
  pg-topic alter -c retention.bytes=0 -c file.delete.delay.ms=0 g
  pg-topic compact g
  [ "$(pg-topic offsets g | cut -f 3)" -gt 30000 ]
  pg-topic verify g
  fill
  pg-topic delete --yes g
  pg-produce f y
}

@test "a disk without inodes: trim, retention, alter and delete need none" {
  disk tmpfs 4m
  mount -o remount,nr_inodes=400 disk || skip "cannot limit inodes"
  pg-topic create t -c segment.bytes=20000
  seq 60000 | pg-produce --batch-bytes 10K t
  pg-topic create u
  seq 100 | pg-produce u
  local n=0
  while : >"disk/i$n"; do n=$((n + 1)); done 2>/dev/null
  pg-topic alter -c retention.bytes=0 -c file.delete.delay.ms=0 u
  pg-topic trim -o end --yes u
  [ "$(pg-topic offsets u)" = $'u\t0\t100\t100' ]
  while : >"disk/i$n"; do n=$((n + 1)); done 2>/dev/null
  pg-topic alter -c retention.bytes=0 -c file.delete.delay.ms=0 t
  pg-topic compact t
  [ "$(pg-topic offsets t | cut -f 3)" -gt 40000 ]
  while : >"disk/i$n"; do n=$((n + 1)); done 2>/dev/null
  pg-topic delete --yes t
  pg-produce u x
  pg-topic verify
}

@test "an ext4 that is full, with many segments: trim frees all of it" {
  disk ext4 8M
  pg-topic create t -c segment.bytes=30000
  stops_full pg-produce --batch-bytes 10K t
  fill
  pg-topic trim -o end --yes t
  [ "$(pg-topic offsets t)" = $'t\t0\t'"$written"$'\t'"$written" ]
  [ "$(df --output=avail disk | tail -1)" -gt 3000 ]
  [ -z "$(find disk -name '*.deleted')" ]
  pg-produce t x
  pg-topic verify t
}

@test "a full disk after the state page was lost: trim still frees it" {
  disk tmpfs 2m
  stops_full pg-produce t
  fill
  rm "$(partition t)/partition.state"
  fill
  pg-topic trim -o end --yes t
  [ "$(df --output=avail disk | tail -1)" -gt 1000 ]
  pg-produce t x
  [ "$(pg-consume t)" = x ]
  pg-topic verify t
}
