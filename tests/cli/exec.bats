# pg-consume --exec: a command per record.
# shellcheck disable=SC2016 # commands are for another shell
load helper

# json VALUE [KEY]...: produces a record given as JSON
json() { printf '%s\n' "$@" | pg-produce --json t; }

# A command that waits, holding its worker, until the file `go` is there, and says before and after that it has been there
patient='echo "start $PG_OFFSET" >>said; until [ -e go ]; do sleep 0.01; done; echo "end $PG_OFFSET" >>said'

@test "exec: each value comes byte for byte on standard input, without a delimiter" {
  : >empty
  printf 'no newline' >plain
  printf 'a\nb\n\n' >lines
  head -c 100000 /dev/urandom >binary
  head -c 1048000 /dev/zero >large
  local file
  for file in empty plain lines binary large; do
    pg-produce --file "$file" "$file"
    pg-consume --exec 'cat >out' "$file"
    cmp out "$file"
    # whether the command reads it or not, all of it or not
    pg-consume --exec true "$file"
    pg-consume --exec 'exec <&-; true' "$file"
    pg-consume --exec 'head -c 1 >out' "$file"
    cmp out <(head -c 1 "$file")
  done
}

@test "exec: a null value is empty, and said to be null" {
  json '{"key":"k","value":null}' '{"key":"k","value":""}'
  [ "$(pg-consume --exec 'wc -c | tr "\n" " "; echo "${PG_NULL-no}"' t)" = $'0 1\n0 no' ]
}

@test "exec: standard output and standard error are ours" {
  pg-produce t a b
  run --separate-stderr pg-consume --exec 'cat; echo; echo "e$PG_OFFSET" >&2' t
  [ "$status" -eq 0 ]
  [ "$output" = $'a\nb' ]
  [ "$stderr" = $'e0\ne1' ]
}

@test "exec: what a command is told in its environment" {
  pg-topic create t --partitions 3
  json '{"partition":2,"key":"k 1","value":"v","timestamp":1700000000123,"headers":[["h","1"],["h",null],["b",{"base64":"AP8="}]]}'
  [ "$(pg-consume --exec 'echo "$PG_TOPIC|$PG_PARTITION|$PG_OFFSET|$PG_KEY|$PG_TIMESTAMP|$PG_HEADERS|$PG_ATTEMPT"' t)" = \
    't|2|0|k 1|1700000000123|[["h","1"],["h",null],["b",{"base64":"AP8="}]]|1' ]
  pg-produce u x
  # no key is not an empty key, and nothing of an outer command is left
  export PG_KEY=outer PG_KEY_BASE64=outer PG_COUNT=outer PG_LAST_OFFSET=outer PG_NULL=outer
  [ "$(pg-consume --exec 'env | grep ^PG_ | grep -v -e PG_BIN -e PG_LONG | cut -d = -f 1 | sort | tr "\n" " "' u)" = \
    'PG_ATTEMPT PG_HEADERS PG_HOME PG_OFFSET PG_PARTITION PG_TIMESTAMP PG_TOPIC ' ]
  pg-produce --key= u y
  [ "$(pg-consume -o 1 --exec 'echo "${PG_KEY-unset}|"' u)" = '|' ]
}

@test "exec: a key with a NUL, which no environment can hold, comes as base64" {
  json '{"key":{"base64":"AAE="},"value":"v"}' '{"key":"plain","value":"v"}' '{"key":{"base64":"//4="},"value":"v"}'
  [ "$(pg-consume --exec 'echo "$(printf %s "${PG_KEY-unset}" | base64) ${PG_KEY_BASE64-unset}"' t)" = \
    "$(printf unset | base64) AAE="$'\n'"$(printf plain | base64) unset"$'\n''//4= unset' ]
}

@test "exec: a key or headers that are too large for an environment are a failed attempt, and others still run" {
  pg-topic create t --partitions 1
  json "{\"key\":\"$(head -c 200000 /dev/zero | tr '\0' k)\",\"value\":\"large\"}" '{"value":"small"}'
  fails 1 "pg-consume: the command failed for offset 0 of 't-0': cannot run the command*too large*" pg-consume --exec cat t
  [ "$(pg-consume -q --dlq dead --exec cat t)" = small ]
  [ "$(pg-consume --json dead | jq -r '.headers | map({(.[0]): .[1]}) | add | ."pg.dlq.exit.status"')" = 'not started' ]
}

@test "exec: batches have their delimiters, and are of one partition" {
  seq 7 | pg-produce t
  [ "$(pg-consume --exec-batch 3 --exec 'echo "[$(cat)] $PG_OFFSET $PG_LAST_OFFSET $PG_COUNT"' t)" = $'[1\n2\n3] 0 2 3\n[4\n5\n6] 3 5 3\n[7] 6 6 1' ]
  [ "$(pg-consume --exec-batch 3 -d , --exec 'cat; echo' t)" = $'1,2,3,\n4,5,6,\n7,' ]
  [ "$(pg-consume -n 2 --exec-batch 9 -0 --exec 'tr "\0" ";"' t)" = '1;2;' ]
  [ "$(pg-consume -n 2 --exec-batch 9 -d none --exec 'cat' t)" = '12' ]
  [ "$(pg-consume -n 1 --exec-batch 9 --exec 'echo "${PG_KEY-none} ${PG_HEADERS-none} ${PG_TIMESTAMP-none}"' t)" = 'none none none' ]
  pg-topic create u --partitions 3
  seq 100 | pg-produce --partitioner round-robin u
  pg-consume --exec-batch 7 --exec 'echo "$PG_PARTITION $PG_COUNT $(wc -l)"' u >out
  [ "$(awk '{ n[$1] += $2; if ($2 != $3 || $2 > 7) exit 1 } END { print n[0] + n[1] + n[2] }' out)" -eq 100 ]
  [ "$(wc -l <out)" -eq 15 ]
}

@test "exec: without -P one command at a time, in order" {
  seq 20 | pg-produce t
  [ "$(pg-consume --exec 'flock -n lock cat || exit; echo' t)" = "$(seq 20)" ]
}

# held NAME: a lock that nobody else may hold meanwhile, in the command's own words
held='exec 9>lock.$NAME; flock -n 9 || { echo "$NAME: two at once" >&2; exit 1; }; echo "$PG_OFFSET" >>"order.$NAME"'

@test "exec: --order partition, key and none" {
  pg-topic create t --partitions 4
  local i
  for i in {1..120}; do echo "{\"partition\":$((i % 4)),\"key\":\"k$((i % 3))\",\"value\":\"$i\"}"; done | pg-produce --json t
  for i in 1 2 3 4; do echo '{"partition":0,"value":"no key"}'; done | pg-produce --json t
  pg-consume -P 8 --exec "NAME=p\$PG_PARTITION; $held" t
  for i in 0 1 2 3; do sort -n -c "order.p$i"; done
  [ "$(cat order.p* | wc -l)" -eq 124 ]
  pg-consume -P 8 --order key --exec "NAME=\$PG_PARTITION-\${PG_KEY-none}; $held" t
  for i in order.?-*; do sort -n -c "$i"; done
  [ "$(cat order.?-* | wc -l)" -eq 124 ]
  pg-consume -P 8 --order none --exec 'echo "$PG_PARTITION $PG_OFFSET" >>order.none' t
  [ "$(sort -u order.none | wc -l)" -eq 124 ]
}

@test "exec: -P is how many run at once, no more and no fewer" {
  seq 30 | pg-produce t
  # Each waits until three have begun; a counter under a lock sees a fourth.
  pg-consume -P 3 --order none --exec '
    flock count.lock sh -c "n=\$((\$(cat count 2>/dev/null || echo 0) + 1)); echo \$n >count; echo \$n >>counts"
    echo x >>begun; until [ "$(wc -l <begun)" -ge 3 ]; do sleep 0.01; done
    flock count.lock sh -c "echo \$((\$(cat count) - 1)) >count"' t
  [ "$(sort -n counts | tail -1)" -eq 3 ]
  [ "$(wc -l <counts)" -eq 30 ]
}

@test "exec: keys that wait do not keep others from running" {
  json '{"key":"slow","value":"1"}' '{"key":"slow","value":"2"}' '{"key":"fast","value":"3"}' '{"key":"fast","value":"4"}'
  pg-consume -P 2 --order key --exec 'v=$(cat); if [ $v = 1 ]; then until grep -q 4 out; do sleep 0.01; done; fi; echo $v >>out' t
  [ "$(tr '\n' ' ' <out)" = '3 4 1 2 ' ]
}

@test "exec: a command that fails ends it: exit 1, nothing new starts, what runs finishes" {
  pg-topic create t --partitions 2
  json '{"partition":0,"value":"bad"}' '{"partition":0,"value":"never"}' '{"partition":1,"value":"slow"}' '{"partition":1,"value":"never"}'
  # the slow one goes on only when the bad one has ended
  pg-consume -P 2 --exec 'v=$(cat); case $v in
      bad) until [ -e started ]; do sleep 0.01; done; echo $$ >pid; exit 3;;
      slow) : >started; until [ -s pid ] && ! [ -e /proc/$(cat pid) ]; do sleep 0.01; done;;
    esac; echo $v >>out' t 2>err && false
  [ "$(cat err)" = "pg-consume: the command failed for offset 0 of 't-0': exit status 3" ]
  [ "$(cat out)" = slow ]
}

@test "exec: exit status 1 of pg-consume, whatever that of the command" {
  pg-produce t x
  fails 1 "pg-consume: the command failed for offset 0 of 't-0': exit status 42" pg-consume --exec 'exit 42' t
  fails 1 "*offset 0 of 't-0': killed by signal 9 (Killed)" pg-consume --exec 'kill -9 $$' t
  pg-produce t y
  fails 1 "*offsets 0 to 1 of 't-0': exit status 1" pg-consume --exec-batch 5 --exec 'exit 1' t
}

@test "exec: --max-attempts counts, PG_ATTEMPT too, and the order is kept" {
  pg-produce t a b
  pg-consume -q --max-attempts 3 --retry-backoff 1ms --exec 'echo "$(cat) $PG_ATTEMPT" >>out; [ $PG_ATTEMPT = 3 ]' t
  [ "$(cat out)" = $'a 1\na 2\na 3\nb 1\nb 2\nb 3' ]
  run --separate-stderr pg-consume --max-attempts 3 --retry-backoff 0 --exec 'echo "$PG_ATTEMPT" >>tries; exit 5' t
  [ "$status" -eq 1 ]
  [ "$(wc -l <tries)" -eq 3 ]
  [ "$stderr" = "pg-consume: attempt 1 of 3 failed for offset 0 of 't-0': exit status 5
pg-consume: attempt 2 of 3 failed for offset 0 of 't-0': exit status 5
pg-consume: the command failed for offset 0 of 't-0': exit status 5, after 3 attempts" ]
}

@test "exec: while one waits for its next attempt, others use its worker" {
  json '{"key":"a","value":"1"}' '{"key":"b","value":"2"}' '{"key":"a","value":"3"}'
  pg-consume -q --order key --max-attempts 2 --retry-backoff 1s --exec 'v=$(cat); echo $v >>out; [ $v$PG_ATTEMPT != 11 ]' t
  [ "$(tr '\n' ' ' <out)" = '1 2 1 3 ' ]
}

@test "exec: --dlq gets the record with where it came from, and the rest goes on" {
  pg-topic create t --partitions 2
  json '{"partition":1,"value":"good"}' \
    '{"partition":1,"key":"k","value":{"base64":"AP8="},"timestamp":1700000000123,"headers":[["h","1"],["pg.dlq.topic","older"]]}' \
    '{"partition":1,"value":"last"}'
  run --separate-stderr pg-consume --max-attempts 2 --retry-backoff 0 --dlq dead --exec 'v=$(cat | tr "\0" 0); case $v in
    good|last) echo $v;; *) echo "cannot $PG_ATTEMPT" >&2; exit 7;; esac' t
  echo "$stderr"
  [ "$status" -eq 0 ]
  [ "$output" = $'good\nlast' ]
  [ "$stderr" = "cannot 1
pg-consume: attempt 1 of 2 failed for offset 1 of 't-1': exit status 7
cannot 2
pg-consume: put offset 1 of 't-1' into 'dead' after 2 attempts: exit status 7" ]
  [ "$(pg-consume --json dead | jq -c '[.key, .value, .headers]')" = '["k",{"base64":"AP8="},[["h","1"],["pg.dlq.topic","t"],["pg.dlq.partition","1"],["pg.dlq.offset","1"],["pg.dlq.timestamp","1700000000123"],["pg.dlq.attempts","2"],["pg.dlq.exit.status","7"],["pg.dlq.stderr","cannot 2\n"]]]' ]
  [ "$(pg-topic describe --json dead | jq '.partitions[0].flushed_offset')" -eq 1 ]
}

@test "exec: --dlq keeps the last KiB of standard error, and passes all of it on" {
  pg-produce t x
  pg-consume -q --dlq dead --exec 'seq 100000 >&2; kill -TERM $$' t 2>err
  cmp err <(seq 100000)
  pg-consume --json dead | jq -r '.headers | map({(.[0]): .[1]}) | add | ."pg.dlq.exit.status", (."pg.dlq.stderr" | length)' >got
  [ "$(cat got)" = $'143\n1024' ]
  # each record of a batch that failed
  seq 3 | pg-produce u
  pg-consume -q --dlq dead3 --exec-batch 5 --exec 'exit 1' u
  [ "$(pg-consume dead3)" = $'1\n2\n3' ]
}

@test "exec: --dlq cannot be a topic that is read, and must be writable" {
  pg-produce t x
  fails 2 "*'t' is read itself*" pg-consume --dlq t --exec true t
  fails 2 "*'a/b'*" pg-consume --dlq a/b --exec true t
  pg-topic create small -c max.message.bytes=100
  head -c 200 /dev/zero >large
  pg-produce --file large u
  fails 7 "*cannot put offset 0 of 'u-0' into 'small'*" pg-consume --dlq small --exec false u
}

@test "exec: status 126 and 127 stop at once: no second attempt, no dead letter" {
  seq 3 | pg-produce t
  fails 1 "*offset 0 of 't-0': exit status 127" pg-consume --max-attempts 5 --dlq dead --exec 'exec 2>/dev/null; nothing_of_this_name' t
  fails 1 "*offset 0 of 't-0': exit status 126" pg-consume --max-attempts 5 --dlq dead --exec 'exec 2>/dev/null; /etc/passwd' t
  [ -z "$(pg-consume dead)" ]
}

@test "exec: a command has descriptors 0, 1 and 2 and no other" {
  pg-produce t x
  exec 8<"$(log t)" 9>held
  pg-consume --dlq dead --exec 'exec ls /proc/self/fd' t >out
  exec 8<&- 9>&-
  # 3 is the folder that ls reads
  [ "$(tr '\n' ' ' <out)" = '0 1 2 3 ' ]
}

@test "exec: a command has default signals, an empty mask, and the limits of our caller" {
  pg-produce t x
  pg-consume --exec 'exec grep -E "^Sig(Blk|Ign)" /proc/self/status' t | cut -f 2 | sort -u >out
  [ "$(cat out)" = 0000000000000000 ]
  env --ignore-signal=TERM,PIPE,CHLD --block-signal=USR1 "$PG_BIN/pg-consume" --exec 'exec grep -E "^Sig(Blk|Ign)" /proc/self/status' t | cut -f 2 | sort -u >out
  [ "$(cat out)" = 0000000000000000 ]
  env --ignore-signal=HUP "$PG_BIN/pg-consume" --exec 'exec grep ^SigIgn /proc/self/status' t | cut -f 2 >out
  [ "$(cat out)" = 0000000000000001 ]
  ulimit -S -n 100
  [ "$(pg-consume --exec 'ulimit -S -n' t)" = 100 ]
}

@test "exec: SIGTERM and SIGINT: what runs finishes, nothing starts, then the signal ends it" {
  seq 5 | pg-produce t
  local signal
  for signal in TERM INT; do
    rm -f said go
    env --default-signal=INT "$PG_BIN/pg-consume" --exec "$patient" t &
    local consumer=$!
    until_true grep -qs start said
    kill -"$signal" $consumer
    # the signal is noticed before the command may end
    until_true eval '! grep -q "^SigPnd:.*[1-9a-f]\|^ShdPnd:.*[1-9a-f]" /proc/'$consumer'/status'
    : >go
    ends_with $((128 + $(kill -l "$signal"))) $consumer
    [ "$(cat said)" = $'start 0\nend 0' ]
  done
}

@test "exec: a second signal kills the commands with all they have started" {
  pg-produce t x
  mkfifo never
  pg-consume --exec '(flock 9; echo >begun; read _ <>never) 9>lock; true' t &
  local consumer=$!
  until_true test -s begun
  kill -TERM $consumer
  until_true eval '! grep -q "^ShdPnd:.*[1-9a-f]" /proc/'$consumer'/status'
  [ -e /proc/$consumer/exe ]
  kill -TERM $consumer
  ends_with 143 $consumer
  until_true flock -n lock true
}

@test "exec: kill -9 of pg-consume kills its command" {
  pg-produce t x
  mkfifo never
  pg-consume --exec 'exec 9>lock; flock 9; echo >begun; read _ <>never' t &
  local consumer=$!
  until_true test -s begun
  kill -9 $consumer
  ends_with 137 $consumer
  until_true flock -n lock true
}

@test "exec: Ctrl-C reaches commands through pg-consume only" {
  pg-produce t x
  [ "$(pg-consume --exec 'read -r pid _ _ _ group _ </proc/$$/stat; [ $pid = $group ] && echo own' t)" = own ]
}

@test "exec: ranges, filters, -n, --last and several topics" {
  seq 9 | pg-produce t
  pg-produce u x
  run_cat() { pg-consume --exec 'cat; echo' "$@" | tr '\n' ' '; }
  [ "$(run_cat -o 2:4 t)" = '3 4 ' ]
  [ "$(run_cat --grep '[258]' t)" = '2 5 8 ' ]
  [ "$(run_cat -n 2 t)" = '1 2 ' ]
  [ "$(run_cat --grep '[258]' -n 2 t)" = '2 5 ' ]
  [ "$(run_cat --last 2 t)" = '8 9 ' ]
  [ "$(run_cat t u | tr ' ' '\n' | grep . | sort | tr '\n' ' ')" = '1 2 3 4 5 6 7 8 9 x ' ]
  [ -z "$(run_cat -n 0 t)" ]
  pg-topic create empty
  pg-consume --exec false empty
  fails 3 "*nothing to read*" pg-consume --fail-if-empty --exec true empty
  fails 3 "*'nothing'*" pg-consume --exec true nothing
}

@test "exec: a follower runs commands for what comes, and ends by count, by time or by signal" {
  pg-produce t 1
  pg-consume -F -n 3 --exec 'cat >>out; echo >>out' t &
  local follower=$!
  until_true grep -qs 1 out
  pg-produce t 2
  until_true grep -q 2 out
  pg-produce t 3
  wait $follower
  [ "$(cat out)" = "$(seq 3)" ]
  [ "$(pg-consume -F --timeout 100ms --exec 'cat; echo' t)" = "$(seq 3)" ]
  fails 4 "*3 of 4 records came in time*" pg-consume -F -n 4 --timeout 100ms --exec true t
  pg-consume -F --exec 'echo >>seen' t &
  follower=$!
  until_true eval '[ "$(wc -l <seen)" = 3 ]'
  kill $follower
  ends_with 143 $follower
}

@test "exec: damage: what is before it runs, then exit 6; --skip-damaged goes on behind it" {
  local i
  for i in 1 2 3; do pg-produce t "$i"; done
  flip "$(log t)" 130
  run --separate-stderr pg-consume --exec 'cat; echo' t
  [ "$status" -eq 6 ]
  [ "$output" = 1 ]
  run --separate-stderr pg-consume --skip-damaged --exec 'cat; echo' t
  [ "$status" -eq 6 ]
  [ "$output" = $'1\n3' ]
}

@test "exec: a command may read and write topics itself" {
  seq 3 | pg-produce t
  pg-consume --exec 'sed s/^/x/ | pg-produce out' t
  [ "$(pg-consume out)" = $'x1\nx2\nx3' ]
}

@test "exec: many records of many batches" {
  seq 2000 | pg-produce --batch-bytes 1000 t
  pg-consume -P 4 --order none --exec-batch 50 --exec 'flock lock cat >>out' t
  sort -n out | cmp - <(seq 2000)
}

@test "exec: misuse" {
  pg-produce t x
  fails 2 "*--exec only*" pg-consume -P 3 t
  fails 2 "*--exec only*" pg-consume --dlq d t
  fails 2 "*empty command*" pg-consume --exec= t
  fails 2 "*do not go with it*" pg-consume --exec cat --json t
  fails 2 "*do not go with it*" pg-consume --exec cat -f %v t
  fails 2 "*go with --exec-batch*" pg-consume --exec cat -0 t
  fails 2 "*--order*'any'*" pg-consume --exec cat --order any t
  fails 2 "*--max-attempts*" pg-consume --exec cat --max-attempts 0 t
  fails 2 "*--retry-backoff*" pg-consume --exec cat --retry-backoff 5 t
  fails 2 "*--parallel*" pg-consume --exec cat -P 0 t
  [ "$(pg-consume --exec '-c 2>/dev/null || echo no option' t)" = 'no option' ]
}


@test "exec with a group: a record is committed once its command has succeeded" {
  seq 5 | pg-produce t
  run --separate-stderr pg-consume -g g --exec 'v=$(cat); echo $v; [ $v != 4 ]' t
  [ "$status" -eq 1 ]
  [ "$output" = $'1\n2\n3\n4' ]
  [ "$stderr" = "pg-consume: the command failed for offset 3 of 't-0': exit status 1" ]
  [ "$(pg-group lag g)" -eq 2 ]
  fails 1 "*offset 3 of 't-0': exit status 127" pg-consume -g g --exec 'exec 2>/dev/null; no_such_command' t
  [ "$(pg-group lag g)" -eq 2 ]
  [ "$(pg-consume -g g --exec 'cat; echo' t)" = $'4\n5' ]
  [ "$(pg-group lag g)" -eq 0 ]
  [ -z "$(pg-consume -g g --exec 'cat; echo' t)" ]
}

@test "exec with a group: what is finished beyond one that is not is not committed, and filtered records are" {
  seq 9 | pg-produce t
  # 3 fails only after all others have succeeded
  pg-consume -q -g g -P 2 --order none --exec 'v=$(cat); if [ $v = 3 ]; then until [ "$(wc -l <out)" = 8 ]; do sleep 0.01; done; exit 1; fi; echo $v >>out' t && false
  [ "$(pg-group lag g)" -eq 7 ]
  [ "$(pg-consume -g g --grep 7 --exec 'cat; echo' t)" = 7 ]
  [ "$(pg-group lag g)" -eq 0 ]
}

@test "exec with a group: a dead letter is committed" {
  seq 3 | pg-produce t
  [ "$(pg-consume -q -g g --dlq dead --exec 'v=$(cat); [ $v != 2 ] && echo $v' t)" = $'1\n3' ]
  [ "$(pg-consume dead)" = 2 ]
  [ "$(pg-group lag g)" -eq 0 ]
}

@test "exec with a group: SIGTERM finishes what runs and commits it; kill -9 commits nothing" {
  seq 5 | pg-produce t
  pg-consume -g g --exec "$patient" t &
  local consumer=$!
  until_true grep -qs start said
  kill -TERM $consumer
  until_true eval '! grep -q "^ShdPnd:.*[1-9a-f]" /proc/'$consumer'/status'
  : >go
  ends_with 143 $consumer
  [ "$(cat said)" = $'start 0\nend 0' ]
  [ "$(pg-group lag g)" -eq 4 ]
  rm go said
  pg-consume -g g --exec "$patient" t &
  consumer=$!
  until_true grep -qs start said
  kill -9 $consumer
  ends_with 137 $consumer
  [ "$(pg-consume -g g --exec 'cat; echo' t)" = $'2\n3\n4\n5' ]
}

@test "exec with a group: a command inherits the lock of its partitions, and nothing else" {
  pg-produce t x
  pg-consume -g h --exec 'readlink /proc/$$/fd/3; ls /proc/$$/fd | wc -w' t >out
  [[ $(head -1 out) == "$PG_HOME"/* ]]
  [ "$(sed -n 2p out)" -eq 4 ]
}

@test "exec with a group: members come and go, no two commands on one partition, every record is done" {
  pg-topic create t --partitions 4
  seq 400 | pg-produce --partitioner round-robin t
  local i members=()
  for i in 1 2 3; do
    pg-consume -F --timeout 2s -g g -P 4 --exec 'exec 9>lock.$PG_PARTITION; flock -n 9 || { echo two at once >>errors; exit 1; }; cat >>"out.$PG_PARTITION"; echo >>"out.$PG_PARTITION"' t &
    members+=($!)
    until_true eval "[ \$(cat out.* 2>/dev/null | wc -l) -ge $((i * 40)) ]"
  done
  kill -TERM "${members[0]}"
  ends_with 143 "${members[0]}"
  wait "${members[1]}"
  wait "${members[2]}"
  [ ! -e errors ]
  sort -n out.* | cmp - <(seq 400)
  [ "$(pg-group lag g)" -eq 0 ]
}
