# Consumer groups: who reads what, what is committed when, and what pg-group says and does.
load helper

teardown() {
  local pids
  pids=$(jobs -p)
  # shellcheck disable=SC2086 # a list
  [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
}

# members GROUP: how many live
members() { pg-group describe --json "$1" | jq '.members | length'; }
has_members() { [ "$(members "$1" 2>/dev/null)" = "$2" ]; }
# counts LINES FILE...: the files have so many lines together
counts() {
  local wanted=$1
  shift
  [ "$(cat "$@" | wc -l)" -eq "$wanted" ]
}

lag_is() { [ "$(pg-group lag "$1" 2>/dev/null)" = "$2" ]; }
# shares GROUP LIST: how many partitions each member has
shares() { [ "$(pg-group describe --json "$1" | jq -c '[.members[].assignment | length] | sort')" = "$2" ]; }

@test "each run reads what is new, and commits it" {
  seq 5 | pg-produce t
  [ "$(pg-consume -g g t)" = "$(seq 5)" ]
  [ -z "$(pg-consume -g g t)" ]
  fails 3 "*nothing to read*" pg-consume -g g --fail-if-empty t
  seq 6 9 | pg-produce t
  [ "$(pg-consume -g g -n 2 t)" = "$(seq 6 7)" ]
  [ "$(pg-group lag g)" = 2 ]
  [ "$(pg-consume -g g t)" = "$(seq 8 9)" ]
  [ "$(pg-consume -g other t)" = "$(seq 9)" ]
  [ "$(pg-group list)" = "$(printf 'g\nother')" ]
  [ "$(pg-topic list)" = t ]
}

@test "several topics, and records that a filter leaves out, are committed too" {
  seq 5 | pg-produce t
  seq 11 15 | pg-produce u
  [ "$(pg-consume -g g --grep 3 t u | sort -n)" = "$(printf '3\n13')" ]
  [ "$(pg-group lag g)" = 0 ]
}

@test "nothing that was not written is committed: a reader that leaves, a full disk, a kill" {
  seq 100000 | pg-produce t
  run bash -c 'pg-consume -g g t | head -n 1'
  [ "$output" = 1 ]
  local committed
  committed=$(pg-group describe --json g | jq '.partitions[0].committed_offset // 0')
  [ "$committed" -lt 100000 ]
  pg-group seek g start t >/dev/null
  if [ -w /dev/full ]; then
    run --separate-stderr bash -c 'pg-consume -g g t >/dev/full'
    [ "$status" -eq 7 ]
    [ "$(pg-group lag g)" = 100000 ]
  fi
  seq 400000 | pg-produce t
  mkfifo pipe
  pg-consume -g g t >pipe 3>&- &
  local consumer=$!
  exec 7<pipe
  head -c 100 <&7 >/dev/null
  kill -KILL "$consumer"
  ends_with 137 "$consumer"
  local written
  written=$(wc -l <&7) # what the pipe still held
  exec 7<&-
  [ "$(pg-group lag g)" -ge $((500000 - written - 100)) ]
}

@test "an ended pipe ends it with 141, and what went through before stays committed" {
  mkfifo pipe
  pg-topic create t
  pg-consume -F -g g t >pipe 3>&- &
  local consumer=$!
  exec 7<pipe
  pg-produce t one
  read -r line <&7
  [ "$line" = one ]
  until_true lag_is g 0
  exec 7<&-
  pg-produce t two
  ends_with 141 "$consumer"
  [ "$(pg-group lag g)" = 1 ]
  [ "$(pg-consume -g g t)" = two ]
}
@test "SIGTERM and SIGINT: what was written is committed, then the signal ends it" {
  local signal
  for signal in TERM INT; do
    pg-produce t "$signal"
    env --default-signal=INT pg-consume -F -g g t >out 3>&- &
    local consumer=$!
    until_true grep -q "$signal" out
    kill -"$signal" "$consumer"
    ends_with $((signal == TERM ? 143 : 130)) "$consumer" || ends_with 130 "$consumer"
    [ "$(pg-group lag g)" = 0 ]
    has_members g 0
  done
}

@test "members share the partitions, and take over from those who leave or die" {
  pg-topic create t --partitions 6
  local i pids=()
  for i in 1 2 3; do
    pg-consume -F -g g t >out$i 3>&- &
    pids+=($!)
  done
  until_true has_members g 3
  until_true shares g '[2,2,2]'
  # Until each of them has got partitions, and reads them.
  fed=0
  until_true all_read
  kill -KILL "${pids[0]}"
  kill "${pids[1]}"
  until_true has_members g 1
  seq $((fed + 1)) $((fed + 600)) | pg-produce --partitioner round-robin t
  until_true grep -q "^$((fed + 600))$" out3
  until_true lag_is g 0
  [ "$(cat out1 out2 out3 | sort -n -u)" = "$(seq $((fed + 600)))" ]
  kill "${pids[2]}"
  wait "${pids[2]}" || true
}
all_read() {
  seq $((fed + 1)) $((fed + 6)) | pg-produce --partitioner round-robin t
  fed=$((fed + 6))
  [ -s out1 ] && [ -s out2 ] && [ -s out3 ]
}

@test "a member that hangs is killed, and the others go on with what it had not committed" {
  pg-topic create t --partitions 2
  pg-consume -F -g g --session-timeout 1s t >out1 3>&- &
  local hung=$!
  pg-consume -F -g g t >out2 2>said 3>&- &
  local other=$!
  until_true has_members g 2
  until_true shares g '[1,1]'
  kill -STOP "$hung"
  seq 100 | pg-produce --partitioner round-robin t
  until_true counts 100 out2
  [ "$(sort -n out2)" = "$(seq 100)" ]
  until_true grep -q "killed" said # if the other had let no partition go yet, the reading came first
  ends_with 137 "$hung"
  kill "$other"
  wait "$other" || true
  [ "$(pg-group lag g)" = 0 ]
}

@test "committed by hand: the file says what was delivered, and pg-group commits it" {
  pg-topic create t --partitions 2
  seq 10 | pg-produce --partitioner round-robin t
  pg-consume -g g --commit never --offsets-file offsets t >out
  [ "$(sort -n out)" = "$(seq 10)" ]
  [ "$(cat offsets)" = "$(printf 't\t0\t5\t0\t0\nt\t1\t5\t0\t0')" ]
  [ "$(pg-group lag g)" = 10 ]
  [ "$(pg-group commit g offsets)" = "$(printf 't\t0\t0\t5\nt\t1\t0\t5')" ]
  [ "$(pg-group lag g)" = 0 ]
  # A file that does not say where its reader began.
  cut -f 1-4 offsets >of_earlier_version
  fails 0 "*2 of 2 partitions were committed that far already" pg-group commit g of_earlier_version
  [ -z "$output" ]
  # What is not a file is written to, and what a link leads to is replaced.
  pg-group seek g start >/dev/null
  mkfifo pipe
  ln -s elsewhere link
  : >elsewhere
  cat pipe >piped 3>&- &
  pg-consume -g g --commit never --offsets-file pipe t >/dev/null
  pg-consume -g g --commit never --offsets-file link t >/dev/null
  wait
  cmp piped offsets
  cmp elsewhere offsets
  [ -p pipe ] && [ -L link ]
  pg-group seek g end >/dev/null
  printf 't\t0\t5' >cut
  fails 2 "*'cut', line 1*" pg-group commit g cut
  printf 't\t9\t5\t0\n' >other
  fails 3 "*no partition 9*" pg-group commit g other
  fails 3 "*'nope' does not exist*" pg-group commit g <(printf 'nope\t0\t5\t0\n')
  : >empty
  fails 0 "*'empty' is empty: there is nothing to commit" pg-group commit g empty
}

@test "committed by hand: an offset that another process has committed or moved meanwhile is exit 8" {
  pg-topic create t --partitions 2
  seq 10 | pg-produce --partitioner round-robin t
  pg-consume -g g --commit never --offsets-file one t >/dev/null
  pg-consume -g g --commit never --offsets-file two t >/dev/null
  pg-group commit g one >/dev/null
  fails 8 "*group 'g' was at 0 of 't-0' when this was read, and is at 5 now: another process has committed meanwhile*" pg-group commit g two
  [ -z "$output" ]
  seq 10 | pg-produce --partitioner round-robin t
  pg-consume -g g --commit never --offsets-file one t >/dev/null
  pg-group seek g -1 t:1 >/dev/null
  # All or nothing.
  fails 8 "*was at 5 of 't-1' when this was read, and is at 4 now:*" pg-group commit g one
  [ "$(pg-group lag g)" = 11 ]
  pg-group delete-offsets --yes g >/dev/null
  fails 8 "*is at no offset now:*" pg-group commit g one
}

@test "an offset of records that a power cut took counts as where that epoch ended" {
  local size
  pg-topic create t
  seq 5 | pg-produce --flush batch t
  size=$(stat -c %s "$(log t)")
  seq 6 105 | pg-produce --flush never t
  pg-consume -g g t >/dev/null
  pg-consume -g h --commit never --offsets-file lost t >/dev/null
  truncate -s "$size" "$(log t)"
  rm "$(partition t)"/partition.state "$(partition t)"/*index
  seq 201 203 | pg-produce --flush batch t
  fails 8 "*lag of 3*" pg-group lag g --max 0
  [ "$(pg-group describe g --json | jq -c '.partitions[0] | [.committed_offset, .lag]')" = "[5,3]" ]
  [ "$(pg-group seek g -2 --dry-run)" = $'t\t0\t5\t3' ]
  pg-consume -g g --commit never --offsets-file of t >out 2>said
  [ "$(cat out)" = "$(seq 201 203)" ]
  grep -q "partition 0 of 't' lost records that the group had read: it goes back from 105 to 5" said
  [ "$(pg-group commit g of)" = $'t\t0\t5\t8' ]
  [ "$(pg-group lag g --max 0)" = 0 ]
  # What was delivered before that is committed as far as the log has it.
  [ "$(pg-group commit h lost)" = $'t\t0\t0\t5' ]
  [ "$(pg-consume -g h t)" = "$(seq 201 203)" ]
}

@test "readers that run when a log is cut and written again miss nothing of it" {
  local size alone member
  pg-topic create t
  seq 5 | pg-produce --flush batch t
  size=$(stat -c %s "$(log t)")
  seq 6 105 | pg-produce --flush never t
  pg-consume -F t >alone 2>alone.said &
  alone=$!
  pg-consume -F -g g t >member 2>member.said &
  member=$!
  counts() { [ "$(wc -l <"$1")" -eq "$2" ]; }
  until_true counts alone 105
  until_true counts member 105
  truncate -s "$size" "$(log t)"
  rm "$(partition t)"/partition.state
  seq 201 400 | pg-produce --flush batch t
  until_true counts alone 305
  until_true counts member 305
  kill "$alone" "$member"
  wait "$alone" "$member" || true
  for out in alone member; do
    [ "$(tail -n 200 $out)" = "$(seq 201 400)" ]
    [ "$(grep -c "'t-0' has lost 100 offsets that this reader has passed, 5 to 104, read in leader epoch 0: it goes on at 5" $out.said)" = 1 ]
  done
  [ "$(pg-group lag g)" = 0 ]
  [ -z "$(pg-consume -g g t)" ]
}

@test "an offsets file that cannot be written is refused before anything is read" {
  seq 3 | pg-produce t
  fails 1 "*--offsets-file: cannot write: *?nowhere/offsets?" pg-consume -g g --commit never --offsets-file nowhere/offsets t
  [ -z "$output" ]
  mkdir offsets
  fails 1 "*--offsets-file: cannot write: *?offsets?" pg-consume -g g --commit never --offsets-file offsets t
  [ "$(pg-group list)" = "" ]
}

@test "the script for cron in the README, as it is written there" {
  sed -n '/^#!\/bin\/sh$/,/^```$/p' "$BATS_TEST_DIRNAME/../../README.md" | sed '$d' >daily-sums
  chmod +x daily-sums
  pg-topic create numbers
  local i
  for i in 1 2 3; do
    seq $((10 * i)) | pg-produce numbers
    ./daily-sums
  done
  ./daily-sums
  [ "$(cat sums.log)" = "$(printf '10 55\n20 210\n30 465\n0 0')" ]
  # A run that fails is done again by the next.
  seq 3 | pg-produce numbers
  sed 's/^awk.*/false/' daily-sums >failing
  run ! sh failing
  [ "$(pg-group lag sums)" = 3 ]
  ./daily-sums
  [ "$(tail -n 1 sums.log)" = "3 6" ]
  [ "$(pg-group lag sums)" = 0 ]
  # One that is still at work when the next begins.
  seq 4 | pg-produce numbers
  mkfifo began
  sed 's/^awk/echo >began; sleep 1; awk/' daily-sums >slow
  sh slow 3>&- &
  read -r <began
  ./daily-sums
  wait $!
  [ "$(tail -n 2 sums.log)" = "$(printf '3 6\n4 10')" ]
}

@test "seek: to the start, the end, an offset, a time, or from where it stands" {
  seq 10 | pg-produce t
  pg-consume -g g t >out
  [ "$(pg-group seek g start)" = $'t\t0\t10\t0' ]
  [ "$(pg-group seek g +3)" = $'t\t0\t0\t3' ]
  [ "$(pg-group seek g -2 t:0)" = $'t\t0\t3\t1' ]
  [ "$(pg-group seek g end)" = $'t\t0\t1\t10' ]
  [ "$(pg-group seek g 4 --dry-run)" = $'t\t0\t10\t4' ]
  [ "$(pg-group lag g)" = 0 ]
  [ "$(pg-group seek g 4 --json)" = '{"group":"g","topic":"t","partition":0,"from":10,"to":4}' ]
  [ "$(pg-consume -g g t)" = "$(seq 5 10)" ]
  [ "$(pg-group seek g @-6h)" = $'t\t0\t10\t0' ]
  [ "$(pg-group seek g @2100-01-01)" = $'t\t0\t0\t10' ]
  [ "$(pg-group seek g 99)" = $'t\t0\t10\t10' ]
  [ "$(pg-group seek new 7 t)" = $'t\t0\t-\t7' ]
  [ "$(pg-consume -g new t)" = "$(seq 8 10)" ]
  fails 3 "*group 'nope' does not exist*" pg-group seek nope start
  fails 3 "*'nope' does not exist*" pg-group seek g start nope
  fails 3 "*no partition 7*" pg-group seek g start t:7
  fails 2 "*one place*" pg-group seek g 1:2
  fails 2 "*write start, end, N, +N, -N or @TIME" pg-group seek g somewhere
  fails 2 "*missing operand*" pg-group seek g
}

@test "a live group is left alone with 4, or moved with --force: its members go on from there" {
  seq 3 | pg-produce t
  pg-consume -F -g g t >out 3>&- &
  local consumer=$!
  until_true counts 3 out
  fails 4 "*live members*" pg-group seek g start
  fails 4 "*live members*" pg-group delete --yes g
  fails 4 "*live members*" pg-group delete-offsets --yes g
  printf 't\t0\t1\t0\n' >offsets
  fails 4 "*live members*" pg-group commit g offsets
  pg-group seek g 1 --force
  until_true counts 5 out
  [ "$(cat out)" = "$(printf '1\n2\n3\n2\n3')" ]
  until_true has_members g 1
  kill "$consumer"
  wait "$consumer" || true
}

@test "lag is a number, and --max a condition" {
  seq 10 | pg-produce t
  seq 5 | pg-produce u
  pg-group seek g start t u >/dev/null
  [ "$(pg-group lag g)" = 15 ]
  [ "$(pg-group lag g u)" = 5 ]
  [ "$(pg-group lag --json g t:0)" = '{"group":"g","lag":10}' ]
  pg-group lag g --max 15
  run --separate-stderr pg-group lag g --max 14
  [ "$status" -eq 8 ]
  [ "$output" = 15 ]
  fails 3 "*group 'nope' does not exist*" pg-group lag nope
}

@test "describe: state, members, offsets and lag" {
  seq 3 | pg-produce t
  pg-consume -g g -n 2 t >out
  [ "$(pg-group describe --json g | jq -c '[.group,.state,.members,.assignor]')" = '["g","empty",[],null]' ]
  [ "$(pg-group describe --json | jq -c '.partitions[0] | [.topic,.partition,.committed_offset,.high_watermark,.lag,.member]')" = '["t",0,2,3,1,null]' ]
  [[ $(pg-group describe g) == *"t  partition 0  committed 2  end 3  lag 1  member -"* ]]
  pg-consume -F -g g --assignor range t >>out 3>&- &
  local consumer=$!
  until_true has_members g 1
  [ "$(pg-group describe --json g | jq -c '[.state,.assignor,.members[0].pid,.members[0].assignment[0].topic]')" = '["stable","range",'$consumer',"t"]' ]
  [ "$(pg-group list --json)" = '{"group":"g","state":"stable"}' ]
  fails 8 "*by range, not by sticky*" pg-consume -g g --assignor sticky t
  kill "$consumer"
  wait "$consumer" || true
  fails 3 "*group 'nope' does not exist*" pg-group describe nope
}

@test "groups and offsets are forgotten" {
  seq 3 | pg-produce t
  pg-consume -g g t >out
  fails 2 "*add --yes*" pg-group delete g
  [ "$(pg-group delete-offsets --yes g t:0)" = $'t\t0\t3\t-' ]
  [ "$(pg-group lag g t)" = 3 ]
  [ "$(pg-consume -g g t)" = "$(seq 3)" ]
  pg-group delete --yes g
  [ -z "$(pg-group list)" ]
  fails 3 "*group 'g' does not exist*" pg-group delete --yes g
  [ "$(pg-consume -g g t)" = "$(seq 3)" ]
}

@test "--reset says where a group begins" {
  seq 3 | pg-produce t
  [ -z "$(pg-consume -g l --reset latest t)" ]
  fails 3 "*no offset for partition 0*" pg-consume -g f --reset fail t
  pg-produce t 4
  [ "$(pg-consume -g l --reset latest t)" = 4 ]
  [ "$(pg-consume -g e t)" = "$(seq 4)" ]
  pg-topic create u -c segment.bytes=1024
  seq 500 | pg-produce --batch-bytes 500 u
  pg-consume -g g -n 1 u
  pg-topic trim --yes -o 400 u
  run --separate-stderr pg-consume -g g u
  [ "$output" = "$(seq 401 500)" ]
  [[ $stderr == *"the group's offset 1 is not in partition 0 of 'u', which holds 400 to 500: going on at 400"* ]]
}

@test "misuse is refused" {
  fails 2 "*need -g*" pg-consume --commit never t
  fails 2 "*need -g*" pg-consume --reset latest t
  fails 2 "*pg-group seek*" pg-consume -g g -o 3 t
  fails 2 "*pg-group seek*" pg-consume -g g --last 3 t
  fails 2 "*pg-group seek*" pg-consume -g g -p 0 t
  fails 2 "*--commit never*" pg-consume -g g --offsets-file f t
  fails 2 "*'sometimes' is not one of after-write, never*" pg-consume -g g --commit sometimes t
  fails 2 "*" pg-consume -g ../g t
  fails 2 "*" pg-consume -g '' t
  fails 3 "*there is no home*" pg-consume -g g t
  pg-topic create other
  fails 3 "*'t' does not exist*" pg-consume -g g t
  fails 2 "*unknown command*" pg-group frobnicate
  fails 2 "*missing command*" pg-group
}

@test "a record at a time: each is read once" {
  pg-topic create t
  seq 400 | while read -r i; do
    pg-produce --flush never t "$i"
    pg-consume -g g t
  done >out
  [ "$(cat out)" = "$(seq 400)" ]
}
