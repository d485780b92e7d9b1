# Many processes at once, and processes that die. PG_LONG=1 runs them whole.

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  if [[ -n ${PG_LONG:-} ]]; then records=200000 minutes=3 rounds=60 events=300 kills=100 stops=20; else records=20000 minutes=0.3 rounds=6 events=20 kills=4 stops=1; fi
}

@test "8 producers and 4 followers on one partition: every record once, in each producer's order" {
  "$BATS_TEST_DIRNAME/many_writers" "$records"
}

@test "8 producers and 4 followers on 12 partitions: every record once, in each key's order" {
  "$BATS_TEST_DIRNAME/many_writers" "$records" 12
}

@test "producers with a name are killed until they are done: every line of their input once" {
  "$BATS_TEST_DIRNAME/exactly_once" "$rounds"
}

@test "members of a group join, leave, are killed and stopped: never two owners of a partition, never none for long" {
  "$BATS_TEST_DIRNAME/group_owners" "$events"
}

@test "producers, consumers and operators are killed and stopped, indexes and state pages spoilt: the history holds" {
  "$BATS_TEST_DIRNAME/torture" "$minutes"
}

@test "the broker that leads is killed, and stopped, while a producer waits for all copies: nothing is lost, nothing is there twice" {
  "$BATS_TEST_DIRNAME/failover" "$kills"
  "$BATS_TEST_DIRNAME/failover" "$stops" --stop --no-flush
}

@test "the same with brokers, which are killed and stopped, lose copies, and have disks that are full or cannot be read" {
  local seed
  for seed in ${PG_LONG:+5 71 2032745120} 1686421111; do
    "$BATS_TEST_DIRNAME/torture" "$minutes" --brokers 3 --seed "$seed"
  done
}

@test "the history checker finds every wrong history that it is given" {
  "$BATS_TEST_DIRNAME/history_test.py"
}

@test "torture with a consumer that drops a record ends with 1, and says where the home and the log are" {
  export TMPDIR=$BATS_TEST_TMPDIR
  mkdir bin
  ln -s "$PG_BIN"/pg-* bin
  rm bin/pg-consume
  # Who follows or is in a group gets signals, and a pipeline does not pass them on.
  cat >bin/pg-consume <<END
#!/bin/bash
case " \$* " in *" -F "* | *" -g "*) exec "$PG_BIN/pg-consume" "\$@" ;; esac
"$PG_BIN/pg-consume" "\$@" | sed 7d
END
  chmod +x bin/pg-consume
  # Under a sanitizer three seconds may end before anything was read.
  local enough=0.05
  [ -z "${TEST_SANITIZER:-}" ] || enough=0.5
  PG_BIN=$PWD/bin run "$BATS_TEST_DIRNAME/torture" "$enough"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ $output == *"  gap: "* ]]
  local kept
  kept=$(sed -n 's/^kept: \([^ ]*\) .*/\1/p' <<<"$output")
  [ -d "$kept/home" ]
  [ -s "$kept/log" ]
}

@test "an interrupted torture leaves no process and no file behind" {
  export TMPDIR=$BATS_TEST_TMPDIR
  local signal torture
  for signal in INT TERM; do
    env --default-signal=INT "$BATS_TEST_DIRNAME/torture" 1 >"$TMPDIR/said" 2>&1 &
    torture=$!
    until compgen -G "$TMPDIR/torture-*/0/*.out" >/dev/null; do sleep 0.01; done
    kill -"$signal" "$torture"
    wait "$torture" || true
    [ -z "$(compgen -G "$TMPDIR/torture-*")" ]
    [ -z "$(find /proc/[0-9]*/cwd -lname "$TMPDIR/torture-*" 2>/dev/null)" ]
  done
}
