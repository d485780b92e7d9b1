# The checkpoints of a log directory: what is said of one partition, and what becomes of that when a file is spoilt.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; run sets stderr
load helper

logs() { echo "$PG_HOME/brokers/0"; }

@test "a spoilt line of the log starts costs no other partition its own, and the file is kept" {
  pg-topic create a
  pg-topic create b
  seq 10 | pg-produce a
  seq 10 | pg-produce b
  pg-topic trim -o 4 --yes a
  pg-topic trim -o 6 --yes b
  sed -i 's/^a 0 4$/a 0 x/' "$(logs)/log-start-offset-checkpoint"
  cp "$(logs)/log-start-offset-checkpoint" spoilt
  pg-topic trim -o 5 --yes a 2>said
  grep 'log-start-offset-checkpoint is damaged (1 of its lines cannot be read).*kept in' said
  cmp spoilt "$(logs)/log-start-offset-checkpoint.damaged.1"
  rm "$(partition b)/partition.state"
  pg-consume b | cmp - <(seq 7 10)
  [ "$(cat "$(logs)/log-start-offset-checkpoint")" = $'0\n2\na 0 5\nb 0 6' ]
  pg-topic verify
}

@test "a log start whose line is lost is what the state page says" {
  seq 10 | pg-produce t
  pg-topic trim -o 6 --yes t
  local text
  for text in '' $'0\n' $'0\n1\n' $'1\n1\nt 0' $'0\n1\nt 0 6\nt 0 2\n' $'0\n7\n\xff\xfe\n'; do
    printf %s "$text" >"$(logs)/log-start-offset-checkpoint"
    printf 'another boot' | dd of="$(partition t)/partition.state" bs=1 seek=24 conv=notrunc status=none
    pg-consume -q t | cmp - <(seq 7 10)
  done
  pg-topic verify -q t
}

@test "where the recovery point is unknown, damage is kept and not cut" {
  local i
  for i in 1 2 3; do pg-produce t "$i"; done
  pg-produce other x
  flip "$(log t)" 80
  sed -i 's/^t 0 3$/t 0 3z/' "$(logs)/recovery-point-offset-checkpoint"
  rm "$(partition t)/partition.state"
  cp "$(log t)" before
  run --separate-stderr pg-produce t 4
  [ "$status" -eq 0 ]
  cmp before "$(log t)"
  run pg-consume -q t
  [ "$status" -eq 6 ]
  [ "$(pg-consume other)" = x ]
  run pg-topic verify t
  [ "$status" -eq 6 ]
}

@test "a checkpoint that the log contradicts is damage, exit 6, until repair" {
  seq 100 | pg-produce t
  pg-topic trim -o 80 --yes t
  sed -i 's/^t 0 80$/t 0 8000/' "$(logs)/log-start-offset-checkpoint"
  run --separate-stderr pg-topic verify t
  [ "$status" -eq 6 ]
  [[ $output$stderr == *log-start-offset-checkpoint* ]]
  cp "$(partition t)/partition.state" page
  rm "$(partition t)/partition.state"
  fails 6 "*'t-0' begins at offset 8000, but the log ends at 100*pg-topic repair*log-start-offset-checkpoint*" pg-consume t
  fails 6 "*8000*" pg-produce t x
  pg-topic repair --yes t >/dev/null
  pg-consume -o -20 t | cmp - <(seq 81 100)
  pg-produce t 101
  [ "$(pg-consume t | tail -1)" = 101 ]
  pg-topic verify t
}

@test "a recovery point beyond what a log can have is damage, and nothing that is written after it is lost" {
  seq 5 | pg-produce t
  local value
  for value in 4611686018427387904 9223372036854775807 99999999999999999999; do
    sed -i "s/^t 0 [0-9]*$/t 0 $value/" "$(logs)/recovery-point-offset-checkpoint"
    rm "$(partition t)/partition.state"
    run --separate-stderr pg-produce t more
    [ "$status" -eq 0 ] || [ "$status" -eq 6 ]
    [ "$status" -eq 0 ] || pg-topic repair --yes t >/dev/null
    local lines
    lines=$(pg-consume -q t | wc -l)
    pg-produce t again
    [ "$(pg-consume -q t | wc -l)" -eq $((lines + 1)) ]
    [ "$(pg-consume -q t | head -5)" = "$(seq 5)" ]
    rm "$(partition t)/partition.state"
    [ "$(pg-consume -q t | wc -l)" -eq $((lines + 1)) ]
    pg-topic verify t
  done
}
