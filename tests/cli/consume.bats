load helper

# bats test_tags=any-cluster
@test "ranges: start, end, N, +N, -N and A:B" {
  seq 0 9 | pg-produce t
  range() { pg-consume -d ' ' -o "$1" t; }
  [ "$(range start)" = '0 1 2 3 4 5 6 7 8 9 ' ]
  [ "$(range end)" = '' ]
  [ "$(range 7)" = '7 8 9 ' ]
  [ "$(range +8)" = '8 9 ' ]
  [ "$(range -2)" = '8 9 ' ]
  [ "$(range :3)" = '0 1 2 ' ]
  [ "$(range 7:)" = '7 8 9 ' ]
  [ "$(range 2:5)" = '2 3 4 ' ]
  [ "$(range -3:-1)" = '7 8 ' ]
  [ "$(range +1:end)" = '1 2 3 4 5 6 7 8 9 ' ]
  [ "$(range 5:100)" = '5 6 7 8 9 ' ]
}

# bats test_tags=any-cluster
@test "ranges by time: seconds, milliseconds, RFC 3339, ago; after the last record is the end" {
  local i
  for i in 1 2 3 4; do echo "{\"value\":\"v$i\",\"timestamp\":170000000${i}000}"; done | pg-produce --json t
  range() { pg-consume -d ' ' -o "$1" t; }
  [ "$(range @1700000002)" = 'v2 v3 v4 ' ]
  [ "$(range @1700000002001)" = 'v3 v4 ' ]
  [ "$(range @1700000002:1700000004)" = 'v2 v3 ' ]
  [ "$(range @2023-11-14T22:13:23Z)" = 'v3 v4 ' ]
  [ "$(range @2023-11-14T23:13:23+01:00)" = 'v3 v4 ' ]
  [ "$(TZ=UTC-1 range @2023-11-14T23:13:23)" = 'v3 v4 ' ]
  [ "$(range @2023-11-14T22:13:22Z:@2023-11-14T22:13:24Z)" = 'v2 v3 ' ]
  [ "$(range @-1h)" = '' ]
  [ "$(range @2099-01-01)" = '' ]
  pg-produce t new
  [ "$(range @-1h)" = 'new ' ]
}

@test "-n stops, --last takes the newest of all partitions" {
  pg-topic create t --partitions 3
  local i
  for i in {1..9}; do echo "{\"partition\":$((i % 3)),\"timestamp\":$((1700000000000 + i)),\"value\":\"v$i\"}"; done | pg-produce --json t
  [ "$(pg-consume -n 4 t | wc -l)" -eq 4 ]
  [ -z "$(pg-consume -n 0 t)" ]
  [ "$(pg-consume -d ' ' --last 4 t)" = 'v6 v7 v8 v9 ' ]
  [ "$(pg-consume --last 100 t | wc -l)" -eq 9 ]
  [ "$(pg-consume -p 1 -d ' ' t)" = 'v1 v4 v7 ' ]
  [ "$(pg-consume -p 1 -p 2 -p 1 t | wc -l)" -eq 6 ]
  fails 3 "*no partition 3*" pg-consume -p 3 t
}

# bats test_tags=any-cluster
@test "formats" {
  echo '{"timestamp":1700000000123,"key":"k\u00e4","value":{"base64":"AP8="},"headers":[["h","1"],["i",null]]}' | pg-produce --json t
  echo '{"timestamp":1700000000123,"key":null,"value":null}' | pg-produce --json t
  [ "$(pg-consume -n 1 -f '%t %p %o %e %k %T %d %h %K %S %%\t\x41\n' t)" = $'t 0 0 0 kä 1700000000123 2023-11-14T22:13:20.123Z h=1,i= 3 2 %\tA' ]
  [ "$(pg-consume -n 1 -f '%k{hex} %v{base64} %v{json} %h{json}' t)" = '6bc3a4 AP8= {"base64":"AP8="} [["h","1"],["i",null]]' ]
  [ "$(pg-consume -o 1 -f '<%k><%v><%k{json}><%v{json}><%K><%S>' t)" = '<><><null><null><-1><-1>' ]
  [ "$(pg-consume -n 1 -K '|' -f '' t 2>&1)" != "" ]
}

@test "--fail-if-empty" {
  pg-topic create t
  pg-consume t
  fails 3 "*nothing to read*" pg-consume --fail-if-empty t
  pg-produce t x
  [ "$(pg-consume --fail-if-empty t)" = x ]
}

# bats test_tags=any-cluster
@test "several topics in one run" {
  pg-produce a 1
  pg-produce b 2
  [ "$(pg-consume -f '%t %v\n' a b | sort)" = $'a 1\nb 2' ]
}

# bats test_tags=any-cluster
@test "a follower prints what comes, and ends by count, by time or by its range" {
  seq 3 | pg-produce t
  pg-consume -F -n 6 --timeout 20s t >out &
  until_true eval '[ "$(wc -l <out)" = 3 ]'
  pg-produce t 4 5
  pg-produce t 6
  wait $!
  [ "$(cat out)" = "$(seq 6)" ]
  [ "$(pg-consume -F --timeout 100ms t)" = "$(seq 6)" ]
  [ "$(pg-consume -F -o 2:4 t)" = $'3\n4' ]
  fails 4 "*6 of 7 records came in time" pg-consume -F -n 7 --timeout 100ms t
}

@test "many followers of twelve partitions all get everything" {
  pg-topic create t --partitions 12
  local i
  local -a followers=()
  for i in {1..6}; do
    pg-consume -F -n 1200 --timeout 20s t >"out.$i" &
    followers+=($!)
  done
  for i in {0..11}; do seq $((i * 100)) $((i * 100 + 99)) | pg-produce -p "$i" t & done
  for i in "${followers[@]}"; do wait "$i"; done
  for i in {1..6}; do sort -n "out.$i" | cmp - <(seq 0 1199); done
}
