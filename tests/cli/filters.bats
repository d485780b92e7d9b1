load helper

# bats test_tags=any-cluster
@test "several keys, and several patterns, are alternatives; a key and a pattern must both fit" {
  for row in 'a apple' 'b banana' 'a cherry' 'c apple'; do
    read -r key value <<<"$row"
    pg-produce -k "$key" t "$value"
  done
  [ "$(pg-consume -k a -k b t)" = $'apple\nbanana\ncherry' ]
  [ "$(pg-consume --grep app --grep '^b' t)" = $'apple\nbanana\napple' ]
  [ "$(pg-consume -k a -k c --grep app --grep err t)" = $'apple\ncherry\napple' ]
  [ "$(pg-consume --last 1 --grep app --grep '^b' t)" = apple ]
}

@test "-k prints the records of one key, wherever they are" {
  pg-topic create t --partitions 4
  printf 'ann:tea\nbob:rice\nann:milk\n' | pg-produce -K : t
  printf 'ann:elsewhere\n' | pg-produce -K : --partitioner round-robin t
  printf 'ann:forced\n' | pg-produce -K : -p 3 t
  pg-produce t keyless
  pg-produce --key= t empty
  [ "$(pg-consume -k ann t | sort)" = $'elsewhere\nforced\nmilk\ntea' ]
  [ "$(pg-consume --key= t)" = empty ]
  [ -z "$(pg-consume -k an t)" ]
  fails 3 "*nothing to read*" pg-consume -k nobody --fail-if-empty t
}

# bats test_tags=any-cluster
@test "--grep prints the records whose value matches" {
  seq 100 | pg-produce t
  [ "$(pg-consume --grep '^9|^.00$' -d ' ' t)" = '9 90 91 92 93 94 95 96 97 98 99 100 ' ]
  printf '{"value":{"base64":"AP9uZWVkbGU="}}\n{"value":null}\n{"value":"a\\nneedle"}\n' | pg-produce --json u
  [ "$(pg-consume --grep needle -f '%o ' u)" = '0 2 ' ]
  [ "$(pg-consume --grep '^needle' -f '%o ' u)" = '' ]
  [ "$(pg-consume --grep '(?m)^needle' -f '%o ' u)" = '2 ' ]
  [ "$(pg-consume --grep '' -f '%o ' u)" = '0 2 ' ]
  fails 2 "*--grep: '(' is not a regular expression*" pg-consume --grep '(' t
  fails 2 "*--grep: *" pg-consume --grep '(.)\1' t
}

@test "-n counts what is printed, --last takes the newest that match" {
  pg-topic create t --partitions 2
  local i
  for i in {1..60}; do echo "{\"partition\":$((i % 2)),\"timestamp\":$((1700000000000 + i)),\"key\":\"k$((i % 3))\",\"value\":\"v$i\"}"; done | pg-produce --json t
  [ "$(pg-consume -k k0 -n 4 t | wc -l)" -eq 4 ]
  [ "$(pg-consume --last 3 -k k1 -d ' ' t)" = 'v52 v55 v58 ' ]
  [ "$(pg-consume --last 2 --grep '^v[1-5]$' -d ' ' t)" = 'v4 v5 ' ]
  [ "$(pg-consume --last 2 --grep '^v.$' -k k0 -d ' ' t)" = 'v6 v9 ' ]
  [ "$(pg-consume --last 99 --grep '^v.$' t | wc -l)" -eq 9 ]
  [ -z "$(pg-consume --last 5 --grep none t)" ]
  [ "$(pg-consume -o :20 -k k0 -p 1 --json t | jq -r .value | tr '\n' ' ')" = 'v3 v9 v15 v21 v27 v33 v39 ' ]
}

# bats test_tags=any-cluster
@test "a follower that filters waits for what matches, and its time runs while nothing does" {
  seq 3 | pg-produce t
  pg-consume -F --grep '^[579]$' -n 2 --timeout 20s t >out &
  seq 4 8 | pg-produce t
  wait $!
  [ "$(cat out)" = $'5\n7' ]
  # records that do not match keep coming, and it ends all the same
  while pg-produce --flush never t 1; do :; done &
  local noise=$!
  [ "$(pg-consume -F --grep '^7$' --timeout 300ms t)" = 7 ]
  fails 4 "*1 of 2 records came in time" pg-consume -F -n 2 --grep '^7$' --timeout 300ms t
  kill $noise
  wait $noise || true
}

@test "--skip-damaged goes on behind damage, says what is left out, and exits 6" {
  local i
  for i in {0..9}; do pg-produce t "$i"; done
  flip "$(log t)" $((3 * 69 + 65))
  flip "$(log t)" $((7 * 69 + 65))
  fails 6 "*CRC*" pg-consume t
  [ "$output" = $'0\n1\n2' ]
  run --separate-stderr pg-consume -d ' ' --skip-damaged t
  [ "$status" -eq 6 ]
  [ "$output" = '0 1 2 4 5 6 8 9 ' ]
  [[ ${stderr_lines[0]} == "pg-consume: skipped offsets 3 to 3 of 't-0': damaged batch: CRC does not match ($(log t) @ 207)" ]]
  [[ ${stderr_lines[1]} == "pg-consume: skipped offsets 7 to 7 of 't-0': "* ]]
  [[ ${stderr_lines[2]} == "pg-consume: left out 2 offsets in 2 damaged places; 'pg-topic verify' lists all damage" ]]
  fails 6 "*left out 2 offsets in 2*" pg-consume -q --skip-damaged t
  # what is not read, or not damaged, is no reason to fail
  [ "$(pg-consume --skip-damaged -o 8 t)" = $'8\n9' ]
  [ "$(pg-consume --skip-damaged -o 4 -n 3 -d ' ' t)" = '4 5 6 ' ]
  fails 6 "*left out 1 offsets in 1*" pg-consume -q --skip-damaged --last 3 t
  [ "$output" = $'6\n8\n9' ]
  fails 6 "*left out 2 offsets in 2*" pg-consume -q --skip-damaged -F --timeout 100ms --grep '[29]' t
  [ "$output" = $'2\n9' ]
  fails 6 "*left out 2*" pg-consume -q --skip-damaged -o @-1h t
}

@test "--skip-damaged: a lost segment leaves a gap and nothing more" {
  pg-topic create t -c segment.bytes=1024
  seq 0 99 | pg-produce --batch-bytes 80 t
  local segments=("$(partition t)"/*.log) first next
  first=$((10#$(basename "${segments[2]}" .log))) next=$((10#$(basename "${segments[3]}" .log)))
  rm "${segments[2]}"
  run --separate-stderr pg-consume --skip-damaged t
  [ "$status" -eq 6 ]
  [[ $stderr == *"skipped offsets $first to $((next - 1)) of 't-0'"* ]]
  [ "$output" = "$(seq 0 $((first - 1)); seq "$next" 99)" ]
}
