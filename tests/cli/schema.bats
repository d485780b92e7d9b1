#!/usr/bin/env bats
# pg-schema, pg-produce --schema, pg-consume --schema.
# shellcheck disable=SC2016,SC2094,SC2154 # JSON in single quotes; cmp reads what was written before; bats sets stderr
load helper

# object NAME:TYPE...: a closed JSON Schema whose properties are all required
object() {
  printf '%s\n' "$@" | jq -cR 'split(":")' | jq -cs '{type: "object", properties: (map({(.[0]): {type: .[1]}}) | add), required: map(.[0]), additionalProperties: false}'
}

# add SUBJECT NAME:TYPE...: registers one; prints its id
add() { object "${@:2}" | pg-schema register "$1" - --type json; }

@test "a schema is registered once, and found by subject, version and id" {
  [ "$(add s a:string)" = 1 ]
  [ "$(add s a:string)" = 1 ]
  [ "$(add t a:string)" = 1 ]
  [ "$(object a:string | jq . | pg-schema register s - --type JSON)" = 1 ]
  [ "$(pg-schema list)" = $'s\nt' ]
  [ "$(pg-schema list s)" = 1 ]
  [ "$(pg-schema get s)" = "$(object a:string)" ]
  [ "$(pg-schema get s:1)" = "$(object a:string)" ]
  [ "$(pg-schema get s:latest)" = "$(object a:string)" ]
  [ "$(pg-schema get --id 1)" = "$(object a:string)" ]
  pg-schema get --json t | jq -e '.subject == "t" and .version == 1 and .id == 1 and .type == "JSON" and .deleted == false and (.schema | fromjson | .type) == "object"'
  object a:string >o.json
  pg-schema register --json u o.json | jq -e '. == {subject: "u", version: 1, id: 1, type: "JSON"}'
  pg-consume --json _schemas | jq -se 'length == 3 and (.[0].key | fromjson) == {keytype: "SCHEMA", subject: "s", version: 1, magic: 1}'
}

@test "what is not there is exit 3, what is no schema exit 2" {
  fails 3 "*there is no home*" pg-schema get s
  pg-topic create t
  fails 3 "*: no such subject 's'" pg-schema get s
  fails 3 "*: no schema has the id 1" pg-schema get --id 1
  fails 3 "*: no such subject 's'" pg-schema list s
  fails 3 "*: no such subject 's'" pg-schema delete s
  fails 3 "*: no such subject 's'" pg-schema validate s
  [ ! -e "$PG_HOME/topics/_schemas" ]
  add s a:string
  fails 3 "*: subject 's' has no version 2" pg-schema get s:2
  fails 3 "*: no schema has the id 2" pg-schema get --id 2
  fails 2 "*'0' is not a version*" pg-schema get s:0
  fails 2 "*'s:2' names a version*" pg-schema register s:2 <(object a:string) --type json
  fails 2 "*'s:latest' names a version*" pg-schema level s:latest NONE
  [ "$(pg-schema list)" = s ]
  echo '{"type":' >bad
  fails 2 "*line *column*" pg-schema register s bad --type json
  fails 2 "*" pg-schema register s bad --type avro
  fails 2 "*" pg-schema register s bad --type protobuf
  fails 2 "*of which type is 'bad'*" pg-schema register s bad
  fails 2 "*'xml' is not json, avro or protobuf*" pg-schema register s bad --type xml
  fails 1 "*cannot open*" pg-schema register s nothing.json
  fails 2 "*not empty*" pg-schema register "" bad --type json
  fails 2 "*control characters*" pg-schema register $'a\tb' <(object a:string) --type json
  fails 2 "*UTF-8*" pg-schema register $'\xff' <(object a:string) --type json
  fails 2 "*512 bytes*" pg-schema register "$(printf 'x%.0s' {1..513})" <(object a:string) --type json
  name="é/a b:$(printf 'x%.0s' {1..500})"
  add "$name" a:string
  [ "$(pg-schema list | tail -n 1)" = "$name" ] || [ "$(pg-schema list | head -n 1)" = "$name" ]
}

@test "schemas that are huge, deep or refer to themselves are refused or bounded" {
  { printf '{"a":'; head -c 2000000 /dev/zero | tr '\0' 1; printf '}'; } >huge
  { for _ in {1..50000}; do printf '{"not":'; done; printf 'true'; for _ in {1..50000}; do printf '}'; done; } >deep
  for type in json avro protobuf; do
    fails 2 "*" pg-schema register s huge --type $type
    fails 2 "*" pg-schema register s deep --type $type
  done
  echo '{"$ref":"#"}' >self
  run pg-schema register r self --type json
  [ "$status" -eq 0 ] || [ "$status" -eq 2 ]
  if [ "$status" -eq 0 ]; then
    run pg-schema validate r <<<'{"a":1}'
    echo "status $status"
    [ "$status" -lt 128 ]
  fi
  echo '{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"],"default":null}]}' >list.avsc
  pg-schema register l list.avsc
  pg-schema encode l <<<'{"next":{"N":{"next":null}}}' | pg-schema decode >out
  [ "$(cat out)" = '{"next":{"N":{"next":null}}}' ]
}

@test "an incompatible change is refused, with each reason; the level says what that is" {
  add s a:string
  object a:integer >next.json
  run --separate-stderr pg-schema register s next.json
  [ "$status" -eq 8 ]
  [ "${#stderr_lines[@]}" -ge 2 ]
  [[ ${stderr_lines[0]} == "pg-schema register: "*" at #"*"(version 1, read by the new schema)" ]]
  run --separate-stderr pg-schema check s next.json
  [ "$status" -eq 8 ]
  [[ $output == *" at #"*"(version 1, "* ]]
  run --separate-stderr pg-schema check --json s next.json
  [ "$status" -eq 8 ]
  jq -e '.compatible == false and .level == "BACKWARD" and (.incompatibilities | length > 0 and all(.kind and .path and .message))' <<<"$output"
  [ "$(pg-schema list s)" = 1 ]
  pg-schema check new next.json
  pg-schema check s <(object a:string) --type json
  pg-schema level s NONE
  [ "$(pg-schema level s)" = NONE ]
  [ "$(pg-schema level)" = BACKWARD ]
  [ "$(pg-schema register s next.json)" = 2 ]
  pg-schema level FULL
  [ "$(pg-schema level)" = FULL ]
  pg-schema level --json s | jq -e '. == {subject: "s", level: "NONE", inherited: false}'
  pg-schema level s --unset
  pg-schema level --json s | jq -e '. == {subject: "s", level: "FULL", inherited: true}'
  fails 3 "*no level of its own*" pg-schema level s --unset
  fails 2 "*'SIDEWAYS' is not one of*" pg-schema level s SIDEWAYS
  fails 3 "*no such subject 'full', and it is not one of NONE, *" pg-schema level full
  [ "$(pg-schema level)" = FULL ]
  pg-schema level new FORWARD
  [ "$(pg-schema level new)" = FORWARD ]
  fails 2 "*not strict or lenient*" pg-schema check s next.json --policy loose
}

@test "READONLY forbids changes and nothing else" {
  add s a:string
  pg-schema mode s READONLY
  [ "$(pg-schema mode s)" = READONLY ]
  fails 8 "*subject 's' is in mode READONLY" pg-schema register s <(object b:string) --type json
  fails 8 "*READONLY" pg-schema delete s
  fails 8 "*READONLY" pg-schema level s NONE
  [ "$(add s a:string)" = 1 ]
  [ "$(pg-schema get s)" = "$(object a:string)" ]
  pg-schema mode READONLY
  pg-schema mode s --unset
  fails 8 "*the registry is in mode READONLY" pg-schema register t <(object b:string) --type json
  pg-schema mode READWRITE
  add t b:string
  fails 2 "*'IMPORT' is not one of*" pg-schema mode s IMPORT
  fails 3 "*no such subject 'IMPORT', and it is not one of READWRITE, READONLY" pg-schema mode IMPORT
}

@test "deleting: softly, then for good; no id comes again" {
  pg-schema level NONE
  [ "$(add s a:string)" = 1 ]
  [ "$(add s b:string)" = 2 ]
  fails 3 "*not deleted yet*" pg-schema delete --permanent -y s
  fails 2 "*add --yes" pg-schema delete --permanent s
  [ "$(pg-schema delete s:1)" = 1 ]
  [ "$(pg-schema list s)" = 2 ]
  [ "$(pg-schema list --deleted s)" = $'1\n2' ]
  [ "$(pg-schema get --deleted s:1)" = "$(object a:string)" ]
  [ "$(pg-schema get --id 1)" = "$(object a:string)" ]
  fails 3 "*deleted already*" pg-schema delete s:1
  [ "$(pg-schema delete s)" = 2 ]
  [ -z "$(pg-schema list)" ]
  [ "$(pg-schema list --deleted)" = s ]
  fails 3 "*deleted already*" pg-schema delete s
  [ "$(pg-schema delete --permanent -y s)" = $'1\n2' ]
  fails 3 "*no schema has the id 2" pg-schema get --id 2
  [ -z "$(pg-schema list --deleted)" ]
  [ "$(add s b:string)" = 3 ]
  [ "$(pg-schema list s)" = 1 ]
}

@test "the topic cannot be written to by hand" {
  fails 2 "*is a table*" pg-produce _schemas x
  add s a:string
  fails 2 "*is a table*" pg-produce -k k _schemas x
}

@test "validate looks at every record, and names those that do not match" {
  add s a:string
  printf '%s\n' '{"a":"x"}' '{"a":1}' '{"a":"y"}' 'no JSON' >records
  run --separate-stderr pg-schema validate s <records
  [ "$status" -eq 8 ]
  [ "${#lines[@]}" -eq 2 ]
  [[ ${lines[0]} == "line 2: "* ]]
  [[ ${lines[1]} == "line 4: "* ]]
  [[ $stderr == "pg-schema validate: 2 of 4 records do not match the schema" ]]
  run --separate-stderr pg-schema validate --json s <records
  jq -se 'map(.line) == [2, 4] and all(.error)' <<<"$output"
  pg-schema validate s <<<'{"a":"x"}'
  printf '{"a":\n"x"}' | pg-schema validate -d none s
  printf '{"a":\n"x"}\0{"a":"z"}\0' | pg-schema validate -0 s
  printf '{"a":"x"}\0{"a":1}\n' >nul
  fails 8 "*1 of 1 records*" pg-schema validate s <nul
}

@test "a schema that values cannot be checked against is registered, and said to be one" {
  echo '{"$schema":"https://json-schema.org/draft/2020-12/schema"}' >new.json
  run --separate-stderr pg-schema register t-value new.json
  [ "$output" = 1 ]
  [[ $stderr == "pg-schema register: values cannot be checked against schemas of draft 2020-12, "* ]]
  run --separate-stderr pg-schema register -q t-value new.json
  [ -z "$stderr" ]
  fails 1 "*: record 1: version 1 of subject 't-value': values cannot be checked *" pg-schema validate t-value <<<'{}'
  pg-topic create -c schema.validation=true t
  printf '\0\0\0\0\1{}' >value
  fails 1 "*: file 1: values cannot be checked *; 0 records written" pg-produce --file value t
  [ "$(printf '\0\0\0\7\0\0\0\0\1{}' | pg-schema decode)" = '{}' ]
}

@test "pg-produce --schema: the wire format, and nothing from the first record on that does not match" {
  add s a:string
  add "s" a:string
  printf '%s\n' '{"a":"x"}' '{"a":"y"}' | pg-produce --schema s t
  [ "$(pg-consume -f '%v{hex}\n' t | cut -c 1-10 | sort -u)" = 0000000001 ]
  [ "$(pg-consume --schema t)" = $'{"a":"x"}\n{"a":"y"}' ]
  printf '%s\n' '{"a":"z"}' '{"a":1}' '{"a":"never"}' >records
  fails 8 "pg-produce: line 2: the value does not match version 1 of subject 's': *; 1 records written" pg-produce --schema s t <records
  [ "$(pg-consume --schema t | tail -n 1)" = '{"a":"z"}' ]
  fails 8 "pg-produce: message 1: *; 0 records written" pg-produce --schema s:1 t '{"b":1}'
  fails 3 "*no such subject 'none'" pg-produce --schema none new '{"a":"x"}'
  fails 3 "*no version 7" pg-produce --schema s:7 new '{"a":"x"}'
  [ ! -e "$PG_HOME/topics/new" ]
  pg-produce --schema s -K = t 'k={"a":"keyed"}'
  printf 'n=\n' | pg-produce --schema s -K = -Z t
  [ "$(pg-consume --schema -K = t | tail -n 2)" = $'k={"a":"keyed"}\nn=' ]
  pg-consume --schema --json t | jq -se '(.[-2].value | fromjson) == {a: "keyed"} and .[-1].value == null'
  [ "$(pg-consume --schema -f '%o %v\n' -o 2 -n 1 t)" = '2 {"a":"z"}' ]
  [ "$(pg-consume --schema --grep '"a":"y"' t)" = '{"a":"y"}' ]
  [ "$(pg-consume --schema --last 1 -k k t)" = '{"a":"keyed"}' ]
  [ "$(pg-consume --schema -q -k k --exec 'cat' t)" = '{"a":"keyed"}' ]
  echo '{"value":"{\"a\":\"j\"}","key":"j"}' | pg-produce --schema s --json t
  [ "$(pg-consume --schema -k j t)" = '{"a":"j"}' ]
  printf '{"a":"tee"}\n' | pg-produce --schema s -T t >copy
  [ "$(cat copy)" = '{"a":"tee"}' ]
  seq 3 | sed 's/.*/{"a":"&"}/' | pg-produce --schema s:1 --input-id p n
  seq 4 | sed 's/.*/{"a":"&"}/' | pg-produce -q --schema s:1 --input-id p n
  [ "$(pg-consume --schema n | wc -l)" = 4 ]
}

@test "pg-consume --schema: a value that names no schema, an unknown one, or is not what it says" {
  add s a:string
  pg-produce --schema s t '{"a":"x"}'
  pg-produce t plain
  run --separate-stderr pg-consume --schema t
  [ "$status" -eq 2 ]
  [ "$output" = '{"a":"x"}' ]
  [[ $stderr == "pg-consume: partition 0 of 't', offset 1: the value does not begin with the id of a schema"* ]]
  [ "$(pg-consume --schema -n 1 t)" = '{"a":"x"}' ]
  printf '\0\0\0\0\7{}' | pg-produce -d none u
  fails 3 "*offset 0: no schema has the id 7" pg-consume --schema u
  printf '\0\0\0\0\1{"a":' | pg-produce -d none v
  fails 2 "*offset 0: the value is not what the schema with the id 1 says*" pg-consume --schema v
  fails 2 "*--dlq keeps values*" pg-consume --schema --exec true --dlq d t
}

@test "schema.validation: every pg-produce writes what matches the topic's subject" {
  pg-topic create -c schema.validation=true t
  fails 3 "*no such subject 't-value'" pg-produce t '{"a":"x"}'
  add t-value a:string
  add other b:string
  pg-produce t '{"a":"x"}'
  echo '{"a":"y"}' | pg-produce t
  echo '{"a":1}' >bad
  fails 8 "pg-produce: line 1: *" pg-produce t <bad
  fails 8 "*takes values of subject 't-value' only*" pg-produce --schema other t '{"b":"x"}'
  pg-produce --schema t-value:1 t '{"a":"z"}'
  # What is encoded already may be copied, if it is of this subject.
  pg-produce copy x
  pg-consume --framing len32be t | pg-produce --framing len32be t
  [ "$(pg-consume --schema t | sort | uniq -c | awk '{ print $1 }')" = $'2\n2\n2' ]
  pg-produce --schema other o '{"b":"x"}'
  pg-consume --framing len32be o >foreign
  fails 8 "*not a version of subject 't-value'*" pg-produce --framing len32be t <foreign
  printf '\0\0\0\0\1{"a":1}' >unlike
  fails 8 "pg-produce: file 1: the value is not what the schema with the id 1 says: #/a: *; 0 records written" pg-produce --file unlike t
  pg-topic alter -c schema.validation=false t
  pg-produce t anything
  fails 2 "*schema.validation must be true or false*" pg-topic create -c schema.validation=yes w
}

@test "the tools that know no schemas become their twins, and say so where those are missing" {
  for tool in pg-produce pg-consume; do
    run ! grep -qa google.protobuf "$PG_BIN/$tool"
    grep -qa google.protobuf "$PG_BIN/../libexec/pilgrimage/$tool"
  done
  add s a:string
  mkdir -p lone/bin
  cp "$PG_BIN/pg-produce" "$PG_BIN/pg-consume" lone/bin
  lone/bin/pg-produce t plain
  fails 1 "*not installed*lone/bin/../libexec/pilgrimage/pg-produce*" lone/bin/pg-produce --schema s t '{"a":"x"}'
  fails 1 "*not installed*" lone/bin/pg-consume --schema t
  mkdir -p lone/libexec/pilgrimage
  cp "$PG_BIN/../libexec/pilgrimage/pg-produce" lone/libexec/pilgrimage
  ln -s ../lone/bin/pg-produce linked
  mkdir -p elsewhere && ln -s ../lone/bin/pg-produce elsewhere/pg-produce
  elsewhere/pg-produce --schema s u '{"a":"x"}'
  [ "$(pg-consume --schema u)" = '{"a":"x"}' ]
  # What the caller has set for signals stays so, and a stop signal ends the twin: what was read is sent.
  mkfifo in
  pg-produce --schema s u <in &
  pid=$!
  exec 5>in
  echo '{"a":"y"}' >&5
  until_true sh -c '[ "$(pg-consume --schema u | wc -l)" = 2 ]'
  kill -TERM $pid
  ends_with 143 $pid
  exec 5>&-
}

@test "encode and decode: frames, lines, and back" {
  add s a:string
  printf '%s\n' '{"a":"x"}' '{"a":"y"}' >records
  pg-schema encode s <records | pg-schema decode | cmp - records
  pg-schema encode s <records | pg-produce --framing len32be t
  pg-consume --schema t | cmp - records
  pg-consume --framing len32be t | pg-schema decode | cmp - records
  pg-schema encode --framing lines s <records | pg-schema decode --framing lines | cmp - records
  printf '{"a":"x"}\n{"a":2}\n' >bad
  fails 8 "pg-schema encode: record 2: *" sh -c 'pg-schema encode s <bad >out'
  [ "$(pg-schema decode <out)" = '{"a":"x"}' ]
  fails 2 "pg-schema decode: record 1: *" pg-schema decode --framing lines <records
  fails 7 "pg-schema decode: record 1 is larger than * bytes: is there a length before it? see --framing" pg-schema decode <records
}

@test "eight processes register at once: one id each, every subject, no version twice" {
  pg-schema level NONE
  register() { # WRITER
    local i
    for i in {1..12}; do
      object "f$i:string" | pg-schema register "shared" - --type json >>"ids.$1" || return 1
      object "w$1:string" "f$i:string" | pg-schema register "own$1" - --type json >>"ids.$1" || return 1
    done
  }
  pids=()
  for writer in {1..8}; do register "$writer" & pids+=($!); done
  for pid in "${pids[@]}"; do ends_with 0 "$pid"; done
  [ "$(pg-schema list | wc -l)" = 9 ]
  [ "$(pg-schema list shared | wc -l)" = 12 ]
  for writer in {1..8}; do [ "$(pg-schema list "own$writer" | wc -l)" = 12 ]; done
  # 12 that all share, and 12 of each: 108 ids, from 1 on, each for one text
  pg-consume --json _schemas | jq -r 'select((.key | fromjson).keytype == "SCHEMA") | .value | fromjson | "\(.id) \(.schema)"' | sort -u >texts
  [ "$(cut -d ' ' -f 1 texts | sort -n | tr '\n' ' ')" = "$(seq 108 | tr '\n' ' ')" ]
  [ "$(cut -d ' ' -f 2- texts | sort -u | wc -l)" = 108 ]
  # All were told the same id of what they share, and each its own of the rest.
  for writer in {1..8}; do
    sed -n '1~2p' "ids.$writer" >told
    [ "$writer" -eq 1 ] && cp told shared
    cmp told shared
    sed -n '2~2p' "ids.$writer" >>own
  done
  [ "$(sort -u own | wc -l)" = 96 ]
}

@test "registering is killed again and again: what is there is whole" {
  pg-schema level NONE
  for round in {1..30}; do
    object "k$round:string" >k.json
    pg-schema register s k.json >>told 2>/dev/null &
    kill -9 $!
    wait $! || true
  done
  last=$(add s last:string)
  versions=$(pg-schema list s | wc -l)
  [ "$last" = "$versions" ]
  [ "$(pg-schema list s | tr '\n' ' ')" = "$(seq "$versions" | tr '\n' ' ')" ]
  [ "$(pg-schema list --json s | jq -s 'map(.id) | unique | length')" = "$versions" ]
}

@test "the index may be deleted, spoilt, or come from elsewhere" {
  pg-schema level NONE
  long=$(printf 'x%.0s' {1..3000})
  for i in {1..30}; do add "s$((i % 3))" "$long$i:string" >/dev/null; done
  pg-schema delete s2 >/dev/null
  [ -e "$PG_HOME/schemas.index" ]
  state() {
    pg-schema list --deleted --json
    for subject in s0 s1 s2; do pg-schema list --deleted --json $subject; pg-schema get --deleted --json $subject; done
    for id in 1 7 30; do pg-schema get --id $id; done
  }
  state >with
  cp "$PG_HOME/schemas.index" index
  rm "$PG_HOME/schemas.index"
  state >without
  cmp with without
  size=$(stat -c %s index)
  for position in 0 8 24 33 45 60 70 80 100 1000 $((size / 2)) $((size - 40)) $((size - 1)); do
    cp index "$PG_HOME/schemas.index"
    flip "$PG_HOME/schemas.index" "$position"
    state | cmp - with
  done
  head -c $((size / 2)) index >"$PG_HOME/schemas.index"
  state | cmp - with
  # The topic is another one by now.
  pg-topic delete --yes --internal _schemas
  cp index "$PG_HOME/schemas.index"
  [ -z "$(pg-schema list --deleted)" ]
  [ "$(add s0 a:string)" = 1 ]
}

@test "with brokers, schemas survive the death of their leader" {
  pg-cluster init --brokers 3
  pg-cluster start --all
  [ "$(add s a:string)" = 1 ]
  leader=$(pg-topic describe --json _schemas | jq '.partitions[0].leader')
  [ "$(pg-topic describe --json _schemas | jq '.partitions[0].replicas | length')" = 3 ]
  kill -9 "$(pg-cluster status --json | jq "select(.broker == $leader) | .pid")"
  [ "$(pg-schema get s)" = "$(object a:string)" ]
  [ "$(add t b:string)" = 2 ]
  [ "$(add t2 a:string)" = 1 ]
  pg-cluster health --wait
  [ "$(pg-schema list | tr '\n' ' ')" = "s t t2 " ]
  pg-cluster verify
  pg-cluster stop --all
}

@test "a group that meets a value without a schema is told what to type to go on behind it" {
  add s a:string
  pg-produce --schema s t '{"a":"x"}'
  pg-produce t plain
  pg-produce --schema s t '{"a":"y"}'
  run --separate-stderr pg-consume --schema -g g t
  [ "$status" -eq 2 ]
  [ "$output" = '{"a":"x"}' ]
  [[ $stderr == *"partition 0 of 't', offset 1: "*"; 'pg-group seek g 2 t:0' goes on behind it" ]]
  $(sed "s/.*'\(pg-group seek [^']*\)'.*/\1/" <<<"$stderr")
  [ "$(pg-consume --schema -g g t)" = '{"a":"y"}' ]
}
