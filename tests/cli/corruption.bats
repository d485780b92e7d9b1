# Every file damaged in every way: corrupt.py says what must hold. PG_LONG=1 tries all damages, else a sample.
load helper

@test "whatever is damaged, no tool crashes, prints wrong data, hides damage behind exit 0 or changes a .log" {
  if [[ -n ${PG_LONG:-} ]]; then set -- --all; else set -- --count 100; fi
  /usr/bin/python3 "$BATS_TEST_DIRNAME/corrupt.py" "$@"
}

@test "the damages test itself fails if a tool prints a record at another's offset" {
  mkdir bin
  ln -s "$PG_BIN"/pg-* bin
  rm bin/pg-consume
  printf '#!/bin/bash\n"%s/pg-consume" "$@" | sed "s/^7 .*/7 k0 another/"; exit "${PIPESTATUS[0]}"\n' "$PG_BIN" >bin/pg-consume
  chmod +x bin/pg-consume
  PG_BIN=$PWD/bin run /usr/bin/python3 "$BATS_TEST_DIRNAME/corrupt.py" --count 1 --only 'timeindex removed'
  echo "$output"
  [ "$status" -eq 1 ]
  [[ $output == *"consume prints"* ]]
}
