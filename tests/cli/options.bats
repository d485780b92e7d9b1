load helper

@test "a header takes one word, a message is bytes, and -- ends the options" {
  pg-produce -H a=1 T msg
  pg-produce T '[1,2]'
  pg-produce T '[]'
  pg-produce T ''
  pg-produce --key= T m
  pg-produce T -- -x
  pg-produce T ++ --key '[a,b]' - --no-create
  [ "$(pg-consume --json T | jq -c '[.key,.value,.headers]')" = '[null,"msg",[["a","1"]]]
[null,"[1,2]",[]]
[null,"[]",[]]
[null,"",[]]
["","m",[]]
[null,"-x",[]]
["[a,b]","++",[]]
["[a,b]","-",[]]' ]
}

@test "options may stand before, between and behind the operands, short ones together" {
  pg-produce t -H x=1 one -Hy=2 two -qk b
  [ "$(pg-consume -f '%k %v %h\n' t)" = $'b one x=1,y=2\nb two x=1,y=2' ]
}

@test "a message never touches standard input" {
  printf '1\n2\n3\n' >lines
  while read -r line; do pg-produce t "$line"; done <lines
  [ "$(pg-consume t)" = "$(cat lines)" ]
}

@test "misuse gets a hint" {
  fails 2 "*the topic is the first argument*" pg-consume -t t
  fails 2 "*the count is -n*" pg-consume -c 3 t
  fails 2 "*--partitions N*" pg-topic create -p 3 t
  fails 2 "*missing operand*" pg-produce
  fails 2 "*not expected*" pg-produce --bogus t
  pg-topic create t
  fails 2 "*add --yes*" pg-topic delete t
  fails 2 "*unknown command*" pg-topic frobnicate
  fails 2 "*missing command*" pg-topic
}

@test "values are checked: durations need a unit, sizes and numbers are strict" {
  fails 2 "*--linger: '5'*" pg-produce --linger 5 t x
  fails 2 "*--batch-bytes: '1X'*" pg-produce --batch-bytes 1X t x
  fails 2 "*--partition: '-1'*" pg-produce -p -1 t x
  fails 2 "*--count: 'x'*" pg-consume -n x t
  fails 2 "*--flush: *" pg-produce --flush sometimes t x
  fails 2 "*--acks: *" pg-produce --acks 2 t x
  fails 2 "*--partitioner: *" pg-produce --partitioner best t x
  fails 2 "*--offset: *" pg-consume -o abc t
  fails 2 "*--format: *%z*" pg-consume -f %z t
  fails 2 "*--home: *" pg-topic list --home=
  fails 2 "*unknown config*" pg-topic create -c nope=1 t
  fails 2 "*must be a number*" pg-topic create -c segment.bytes=x t
  fails 2 "*replication factor 2: the cluster has 1 broker" pg-topic create --replication-factor 2 t
}

@test "options may stand before the command, in every tool that has commands" {
  pg-topic create t --partitions 2
  pg-produce -p 1 t x
  [ "$(pg-topic -p 1 offsets t)" = $'t\t1\t0\t1' ]
  [ "$(pg-topic --json -p 1 offsets t | jq .next_offset)" = "$(pg-topic offsets --json -p 1 t | jq .next_offset)" ]
  [ "$(pg-topic --home "$PG_HOME" -v list)" = t ]
  pg-consume -g g t >/dev/null
  [ "$(pg-group --max 0 lag g)" = "$(pg-group lag --max 0 g)" ]
  pg-cluster --timeout 5s status >/dev/null
  echo '{}' >schema.json
  pg-schema --type json register s schema.json >/dev/null
  [ "$(pg-schema -q list)" = s ]
  fails 2 "pg-topic: unknown command 'ofsets' *" pg-topic -p 1 ofsets t
  fails 2 "pg-topic: unknown command 'nope' *" pg-topic nope list
}

@test "what is given twice is refused, unless each value counts" {
  pg-produce t x
  fails 2 "pg-consume: --count: given twice, as '1' and as '2'" pg-consume -n 1 --count=2 t
  fails 2 "*--offset: given twice*" pg-consume -o 1 -o 5 t
  fails 2 "*--timeout: given twice*" pg-consume --timeout 1s --timeout 1s t
  fails 2 "*--home: given twice*" pg-topic --home a list --home b
  fails 2 "*--key: given twice*" pg-produce -k a -k b t y
  fails 2 "*config retention.ms is given twice*" pg-topic create u -c retention.ms=1 -c retention.ms=2
  fails 2 "*--partitions: given twice*" pg-topic create --partitions 1 --partitions 2 u
  pg-consume -q -q -p 0 -p 0 t
}

@test "what cannot be printed is said, by every tool in the same way" {
  for tool in pg-produce pg-consume pg-topic pg-group pg-cluster pg-schema pg-bench; do
    for option in --help --version; do
      fails 7 "$tool: cannot write: No space left on device (standard output)" bash -c "exec $tool $option >/dev/full"
      fails 1 "$tool: cannot write: Bad file descriptor (standard output)" bash -c "exec $tool $option >&-"
      run bash -c "(sleep 0.2; exec $tool $option) | true; exit \${PIPESTATUS[0]}"
      [ "$status" -eq 141 ]
    done
  done
  for command in 'pg-topic list' 'pg-group list' 'pg-cluster status' 'pg-schema list' 'pg-topic list --help'; do
    pg-produce t x
    pg-consume -g g t >/dev/null
    echo '{}' >schema.json
    pg-schema register --type json s schema.json >/dev/null
    fails 7 "*: cannot write: No space left on device (standard output)" bash -c "exec $command >/dev/full"
  done
}

@test "options that contradict each other are refused" {
  fails 2 "*either -k or -K*" pg-produce -k a -K : t
  fails 2 "*--json has its own form*" pg-produce --json -K : t
  fails 2 "*either MESSAGE or --file*" pg-produce --file /dev/null t x
  fails 2 "*--key-optional needs -K*" pg-produce --key-optional t
  fails 2 "*exclude each other*" pg-consume --json -f %v t
  fails 2 "*--last*" pg-consume --last 3 -F t
}

@test "each tool says its version and its usage" {
  local tool
  for tool in pg-produce pg-consume "pg-topic list"; do
    # shellcheck disable=SC2086
    [[ $($tool --version) == "pilgrimage "[0-9]* ]]
    # shellcheck disable=SC2086
    [[ $($tool -h) == "usage: $tool"* ]]
  done
}

@test "--home beats PG_HOME, also before a sub-command" {
  pg-produce --home other t x
  [ "$(pg-topic --home other list)" = t ]
  [ -z "$(pg-topic list)" ]
}

@test "-q silences notices, -v says what was done" {
  run --separate-stderr pg-produce -v t a b
  [ "$stderr" = "pg-produce: made topic 't' with 1 partition in $PG_HOME"$'\n'"pg-produce: 2 records written to 't'" ]
  run --separate-stderr pg-produce -v t a b
  [ "$stderr" = "pg-produce: 2 records written to 't'" ]
  run --separate-stderr pg-produce -q t a b
  [ -z "$stderr" ]
}
