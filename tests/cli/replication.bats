#!/usr/bin/env bats
# Topics with copies on three brokers, as real processes: what fails, and that it heals.
# PG_BIN names the folder of the tools.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; run sets output
load helper

setup() {
  PATH=${PG_BIN:?names the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  cd "$BATS_TEST_TMPDIR" || exit 1
  pg-cluster init --brokers 3
  pg-cluster start --all
}

teardown() {
  # Whatever a test has stopped with SIGSTOP goes on first.
  pids | while read -r pid; do kill -CONT "$pid" 2>/dev/null || true; done
  pg-cluster stop --all
}

pids() { pg-cluster status --json | jq '.pid // empty'; }
pid_of() { pg-cluster status --json | jq --argjson broker "$1" 'select(.broker == $broker) | .pid'; }
state_of() { pg-cluster status --json | jq -r --argjson broker "$1" 'select(.broker == $broker) | .state'; }
# field TOPIC N FILTER: of a partition's description
field() { pg-topic describe --json "$1" | jq -c ".partitions[$2]$3"; }
leader_of() { field "$1" "${2:-0}" .leader; }
healthy() { pg-cluster health --wait --timeout 60s; }
until_state() { until [[ $(state_of "$1") == "$2" ]]; do sleep 0.05; done; }
log_of() { echo "$PG_HOME/brokers/$1/$2/00000000000000000000.log"; } # BROKER PARTITION

@test "a topic gets three copies, of the same bytes, and groups too are kept three times" {
  pg-topic create --partitions 2 t
  [ "$(field t 0 '.replicas | length')" -eq 3 ]
  seq 5000 | pg-produce t
  [ "$(pg-consume t | sort -n | cksum)" = "$(seq 5000 | cksum)" ]
  healthy
  local p
  for p in t-0 t-1; do
    cmp "$(log_of 0 $p)" "$(log_of 1 $p)"
    cmp "$(log_of 0 $p)" "$(log_of 2 $p)"
  done
  pg-cluster verify
  [ "$(pg-consume -g readers t | wc -l)" -eq 5000 ]
  [ "$(field __consumer_offsets 0 '.isr | length')" -eq 3 ]
}

@test "kill -9 of the leader's broker: the producer goes on, nothing is lost, nothing is there twice" {
  pg-topic create -c min.insync.replicas=2 t
  healthy
  local leader
  leader=$(leader_of t)
  { seq 1000; kill -9 "$(pid_of "$leader")"; seq 1001 2000; } | pg-produce t
  [ "$(pg-consume t | cksum)" = "$(seq 2000 | cksum)" ]
  healthy
  pg-cluster verify t
}

@test "a broker that is told to stop hands over: the producer sees no error, and reads what it wrote" {
  pg-topic create --partitions 3 t
  healthy
  { seq 1000; pg-cluster stop 0 1>&2; seq 1001 2000; pg-cluster start 0 1>&2; seq 2001 3000; } | pg-produce t
  [ "$(pg-consume t | sort -n | cksum)" = "$(seq 3000 | cksum)" ]
  healthy
}

@test "a broker that hangs is noticed, shown with the time, and replaced" {
  pg-topic create t
  seq 10 | pg-produce t
  healthy
  local leader
  leader=$(leader_of t)
  kill -STOP "$(pid_of "$leader")"
  seq 11 20 | pg-produce t
  until_state "$leader" hung
  [ "$(pg-cluster status --json | jq --argjson b "$leader" 'select(.broker == $b) | .since > 1600000000000')" = true ]
  run pg-cluster health
  [ "$status" -eq 8 ]
  [[ $output == *"broker $leader  hung"* ]]
  [ "$(leader_of t)" != "$leader" ]
  kill -CONT "$(pid_of "$leader")"
  healthy
  [ "$(pg-consume t | cksum)" = "$(seq 20 | cksum)" ]
}

@test "a follower goes on at the new leader" {
  pg-topic create t
  healthy
  pg-consume -F -n 30 --timeout 60s t >read &
  local reader=$!
  seq 10 | pg-produce t
  kill -9 "$(pid_of "$(leader_of t)")"
  seq 11 20 | pg-produce t
  healthy
  kill -9 "$(pid_of "$(leader_of t)")"
  seq 21 30 | pg-produce t
  wait "$reader"
  cmp read <(seq 30)
}

@test "a copy that is removed comes back complete" {
  pg-topic create t
  seq 5000 | pg-produce t
  healthy
  local leader broker
  leader=$(leader_of t)
  for broker in 0 1 2; do # one of them is the leader's own
    rm -rf "$PG_HOME/brokers/$broker/t-0"
    healthy
    [ "$(pg-consume t | cksum)" = "$(seq 5000 | cksum)" ]
  done
  pg-cluster verify
}

@test "damage in the leader's log: consumers read it from another copy, and the damaged one is made anew" {
  pg-topic create t
  seq 5000 | pg-produce t
  healthy
  local leader
  leader=$(leader_of t)
  printf '\xff\xff\xff\xff' | dd of="$(log_of "$leader" t-0)" bs=1 seek=3000 conv=notrunc status=none
  run -6 pg-cluster verify t
  [[ $output == *"t-0 on broker $leader offset 0: damaged batch"* ]]
  [ "$(pg-consume t | cksum)" = "$(seq 5000 | cksum)" ]
  healthy
  pg-cluster verify t
}

@test "too few copies in sync: exit 5 names who is missing, and nothing is written" {
  pg-topic create -c min.insync.replicas=3 t
  seq 3 | pg-produce t
  local victim=$((($(leader_of t) + 1) % 3))
  pg-cluster stop "$victim"
  run -5 pg-produce --timeout 500ms t x
  [[ $output == *"'t-0' has 2 of min.insync.replicas=3 replicas in sync: missing on broker $victim"* ]]
  pg-cluster start "$victim"
  healthy
  pg-produce t 4
  [ "$(pg-consume t | cksum)" = "$(seq 4 | cksum)" ]
}

@test "all brokers gone: exit 4 and offline, reading goes on, and they come back by themselves" {
  pg-topic create t
  seq 3 | pg-produce t
  pg-cluster stop --all
  run -4 pg-produce --timeout 300ms t x
  [[ $output == *"'t-0' has no leader: broker "*" does not run"* ]]
  [[ $(pg-cluster status) == *"t-0  offline"* ]]
  [ "$(pg-consume t | wc -l)" -eq 3 ]
  pg-cluster start --all
  pg-produce t 4
  [ "$(pg-consume t | cksum)" = "$(seq 4 | cksum)" ]
}

@test "a log directory that vanishes is a failed disk, not an empty one; one of another broker or cluster is refused" {
  pg-topic create t
  seq 100 | pg-produce t
  healthy
  mv "$PG_HOME/brokers/1" aside
  until_state 1 failed
  pg-produce t 101
  [ ! -e "$PG_HOME/brokers/1/t-0" ]
  rm -rf "$PG_HOME/brokers/1" # the probe may have left something
  mv aside "$PG_HOME/brokers/1"
  healthy
  pg-cluster verify
  run -1 pg-cluster init --brokers 4 --log-dir "3=$PG_HOME/brokers/1"
  [[ $output == *"the log directory belongs to broker 1 of this cluster"* ]]
  PG_HOME=$BATS_TEST_TMPDIR/other run -1 pg-cluster init --brokers 2 --log-dir "1=$PG_HOME/brokers/1"
  [[ $output == *"of another cluster"* ]]
}

@test "the second process of a broker is refused by name; more copies than brokers are refused" {
  run -4 pg-cluster run --broker 1
  [[ $output == *"another process is broker 1 already"* ]]
  run -2 pg-topic create --replication-factor 4 t
  [[ $output == *"the cluster has 3 brokers"* ]]
  run -3 pg-cluster run --broker 9
  [[ $output == *"there is no broker 9: the cluster has 0, 1, 2"* ]]
}

@test "the preferred leader gets a partition back when asked; losing data has to be said twice" {
  pg-topic create t
  seq 10 | pg-produce t
  healthy
  local preferred other
  preferred=$(leader_of t)
  pg-cluster alter -c auto.leader.rebalance.enable=false
  pg-cluster stop "$preferred"
  pg-cluster start "$preferred"
  healthy
  other=$(leader_of t)
  [ "$other" != "$preferred" ]
  pg-cluster elect t
  [ "$(leader_of t)" = "$preferred" ]
  run -2 pg-cluster elect --unclean t
  [[ $output == *"--yes-lose-data"* ]]
  pg-produce t 11
  [ "$(pg-consume t | cksum)" = "$(seq 11 | cksum)" ]
}

@test "the replica in sync is gone for good: an unclean election brings back what there is" {
  pg-topic create t
  seq 10 | pg-produce t
  healthy
  local leader others broker
  leader=$(leader_of t)
  others=$(field t 0 '.replicas[1:][]')
  for broker in $others; do pg-cluster stop "$broker"; done
  seq 11 20 | pg-produce t # only the leader has these
  pg-cluster stop "$leader"
  rm -rf "$PG_HOME/brokers/$leader"
  for broker in $others; do pg-cluster start "$broker"; done
  run -4 pg-produce --timeout 500ms t x
  pg-cluster elect --unclean --yes-lose-data t
  pg-produce t again
  [ "$(pg-consume t | cksum)" = "$({ seq 10; echo again; } | cksum)" ]
}

@test "repair leaves a copy alone that others make whole" {
  pg-topic create t
  seq 1000 | pg-produce t
  healthy
  pg-topic repair --yes t # nothing is wrong
  pg-cluster stop --all
  local leader
  leader=$(leader_of t) # not before: the first broker that stops may hand over to one that stops after it
  rm -rf "$PG_HOME/brokers/$leader/t-0"
  fails 8 "*'t-0' has other copies*" pg-topic repair t
  fails 8 "*'t-0' has other copies*" pg-topic repair --yes t
  fails 4 "*see 'pg-cluster status'*" pg-consume t
  pg-cluster start --all
  healthy
  [ "$(pg-consume t | cksum)" = "$(seq 1000 | cksum)" ]
  pg-cluster verify t
}

@test "verify finds a damaged batch of any copy, and its broker makes that anew" {
  pg-topic create t
  seq 1000 | pg-produce t
  healthy
  local leader broker
  leader=$(leader_of t)
  for broker in "$leader" $(((leader + 1) % 3)); do
    printf X | dd of="$(log_of "$broker" t-0)" bs=1 seek=200 conv=notrunc status=none
    run -6 pg-cluster verify t
    [[ $output == *"t-0 on broker $broker offset 0: damaged batch"* ]]
    [ "$(grep -c "on broker $broker " <<<"$output")" -eq 1 ]
    until pg-cluster verify t >/dev/null; do sleep 0.05; done
    healthy
  done
  [ "$(pg-consume t | cksum)" = "$(seq 1000 | cksum)" ]
}

# has_lines FILE COUNT
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "records that an unclean election has lost: commands go on with those that took their places" {
  pg-topic create --partitions 1 --replication-factor 2 t
  local leader other
  read -r leader other < <(field t 0 '.replicas' | tr '[],' '   ')
  seq 100 | pg-produce t
  healthy
  pg-cluster stop "$other"
  seq 101 150 | pg-produce --acks leader t
  pg-consume -F --exec 'cat; echo' t >done_by_commands 2>said 3>&- &
  local consumer=$!
  until_true has_lines done_by_commands 150
  pg-cluster stop "$leader"
  rm -r "$PG_HOME/brokers/$leader/t-0"
  pg-cluster start "$other"
  pg-cluster elect --unclean --yes-lose-data t
  seq 1001 1080 | pg-produce --acks leader t
  until_true has_lines done_by_commands 230
  kill "$consumer"
  ends_with 143 "$consumer"
  [ "$(tail -n +151 done_by_commands | cksum)" = "$(seq 1001 1080 | cksum)" ]
  grep -F "has lost 50 offsets" said
}

@test "a log directory that was lost is made anew when somebody says so, and filled" {
  pg-topic create t
  seq 1000 | pg-produce t
  healthy
  rm -rf "$PG_HOME/brokers/1"
  until_state 1 failed
  pg-cluster init --brokers 3 --log-dir "1=$PG_HOME/brokers/1"
  healthy
  [ "$(pg-consume t | cksum)" = "$(seq 1000 | cksum)" ]
  pg-cluster verify
}

@test "lock files that somebody removes are made again: who has them open goes on" {
  pg-topic create t
  mkfifo lines
  pg-produce t <lines 3>&- &
  local producer=$!
  exec 7>lines
  echo before >&7
  until [[ $(pg-topic offsets t) == *$'\t1' ]]; do sleep 0.05; done
  rm "$PG_HOME"/locks/broker-*.lock
  until ls "$PG_HOME"/locks/broker-{0,1,2}.lock >/dev/null 2>&1; do sleep 0.05; done
  healthy
  echo after >&7
  exec 7>&-
  wait "$producer"
  [ "$(pg-consume t)" = $'before\nafter' ]
}

@test "state pages that somebody removes are made again: a producer and a member of a group go on" {
  pg-topic create t
  mkfifo lines
  pg-produce t <lines 3>&- &
  local producer=$!
  exec 7>lines
  pg-consume -F -g readers t >out 3>&- 7>&- &
  local member=$!
  echo before >&7
  until [[ $(pg-group lag readers 2>/dev/null) == 0 ]]; do sleep 0.05; done
  rm "$PG_HOME"/brokers/*/*/partition.state
  until [[ $(ls "$PG_HOME"/brokers/*/__consumer_offsets-0/partition.state 2>/dev/null | wc -l) -eq 3 ]]; do sleep 0.05; done
  echo after >&7
  exec 7>&-
  wait "$producer"
  until [[ $(cat out) == $'before\nafter' ]]; do sleep 0.05; done
  kill "$member"
  wait "$member" || [ $? -eq 143 ]
  [ "$(pg-group lag readers)" -eq 0 ]
}
