#!/usr/bin/env bats
# pg-bench: what its benchmarks do and print. How fast it is, perf/ says.
# shellcheck disable=SC2154 # bats sets stderr
load helper

# What a benchmark has made is gone.
nothing_left() {
  [ -z "$(pg-topic list)" ]
  [ -z "$(find "$PG_HOME" -name 'pg-bench-*' -not -path '*/topics/*')" ]
}

# shape JSON: the members that every result with records and a latency has
shape='.bench and .time and .version and (.options | type == "object") and .records_per_second > 0 and .bytes_per_second > 0
  and .seconds > 0 and .machine.processors >= 1 and .machine.fdatasync_per_second > 0 and .machine.memory_bytes_per_second > 0
  and .machine.pipe_bytes_per_second > 0'
latency='.latency | .until and .p50_us > 0 and .p50_us <= .p90_us and .p90_us <= .p99_us and .p99_us <= ."p99.9_us" and ."p99.9_us" <= .max_us'

@test "produce: as many records as asked for, from several processes, each acknowledged once" {
  pg-bench produce --json --count 10001 -P 3 --partitions 4 --key-bytes 8 --value-bytes 50 --flush never >result
  [ "$(wc -l <result)" = 1 ]
  jq -e 'has("subject") | not' result
  jq -e "$shape and ($latency)" result
  jq -e '.bench == "produce" and .records == 10001 and .bytes == 10001 * 58 and .latency.count == 10001 and .latency.until == "committed"
    and ([.histogram[][1]] | add) == 10001 and ([.timeline.records[]] | add) == 10001' result
  jq -e '.options | .processes == 3 and .partitions == 4 and .key_bytes == 8 and .value_bytes == 50 and .flush == "never"' result
  nothing_left
}

@test "produce: into a topic that there is, which stays, with keys and values of files" {
  pg-topic create --partitions 2 t
  printf 'x\ny\n' >keys
  printf 'one\ntwo\nthree\n' >values
  pg-bench produce --topic t --count 600 --keys keys --values values >text
  grep -q '^produce$' text
  grep -qE '^  600 records in .* a second, .* MB/s$' text
  grep -qE '^  until flushed: p50 .* p99\.9 .* longest ' text
  grep -qE '^this machine, now: [0-9]+ fdatasync a second, .* GB/s through a pipe$' text
  [ "$(pg-consume -f '%k %v\n' t | sort | uniq -c | tr -s ' ')" = "$(printf ' 100 %s\n' 'x one' 'x three' 'x two' 'y one' 'y three' 'y two')" ]
  [ "$(pg-consume -f '%k %p\n' t | sort -u | wc -l)" = 2 ]
}

@test "produce: for a duration at a rate, what is due after the warm-up is measured" {
  pg-bench produce --json --duration 1s --warm-up 500ms --rate 2000 -P 2 --flush never >result
  jq -e "$shape and ($latency)" result
  jq -e '.records == 2000 and .latency.count == 2000 and .options.rate == 2000' result
}

@test "consume: every record is read once by all processes together" {
  pg-bench consume --json --count 20000 -P 3 --partitions 4 >result
  jq -e "$shape" result
  jq -e '.bench == "consume" and .records == 20000 and .bytes == 2000000 and (has("latency") | not)' result
  nothing_left
  seq 500 | pg-produce t
  pg-bench consume --json --topic t | jq -e '.records == 500'
}

@test "consume: processes without a partition of their own read what another reads, and count it" {
  pg-bench consume --json --count 100 -P 4 | jq -e '.records == 400'
}

@test "nothing to measure: the result says so" {
  pg-topic create t
  pg-bench consume --topic t >text
  grep -q '^  there was nothing to measure$' text
  pg-bench consume --topic t --json | jq -e 'has("records") or has("latency") | not'
}

@test "consume: for a duration, again and again" {
  pg-bench consume --json --count 1000 --duration 300ms --warm-up 0 | jq -e '.records > 1000'
}

@test "latency: each record arrives once in another process, also through a topic with other records" {
  pg-bench latency --json --count 500 --rate 5000 -P 2 --readers 2 --partitions 3 >result
  jq -e "$shape and ($latency)" result
  jq -e '.bench == "latency" and .records == 500 and .latency.count == 500 and .latency.until == "read"' result
  nothing_left
  seq 100 | pg-produce t
  pg-bench latency --json --topic t --count 50 | jq -e '.records == 50'
  pg-bench latency --json --topic t --count 50 | jq -e '.records == 50'
}

@test "durable: one record after another, each flushed" {
  pg-bench durable --json --count 20 -P 2 >result
  jq -e "$shape and ($latency)" result
  jq -e '.records == 20 and .latency.until == "flushed" and .options.flush == "batch"' result
}

@test "open: a figure for sending and for reading, with each number of partitions" {
  pg-bench open --json --count 2 >results
  [ "$(jq -r .subject results)" = "$(for n in '1 partition' '10 partitions' '100 partitions' '1000 partitions'; do printf '%s one, %s\n' send "$n" read "$n"; done)" ]
  jq -es "all(.latency.count == 2 and (has(\"records\") | not) and ($latency))" results
  nothing_left
}

@test "recover: the log is read, from its recovery point and as a whole" {
  pg-bench recover --json --bytes 3M >results
  [ "$(jq -r .subject results)" = $'from the recovery point\nthe whole log' ]
  jq -es 'all(.figures.bytes > 3145728 and .records > 30000 and (has("latency") | not)) and .[1].figures.seconds_per_gb > 0' results
  nothing_left
}

@test "failover: partitions are written to again after each kill" {
  pg-bench failover --json --count 2 --partitions 3 >result
  jq -e "($latency) and .latency.until == \"acknowledged again\" and .latency.count >= 2 and .machine.processors >= 1" result
  nothing_left
}

@test "verify: an event for each acknowledgement and each record read, and they agree" {
  pg-bench verify --count 1000 --partitions 3 --timeout 1h >events  # which waits for nothing when all is there
  [ "$(jq -r .name events | sort | uniq -c | tr -s ' ')" = $' 1000 producer_send_success\n 1000 record_data\n 1 shutdown_complete\n 1 startup_complete' ]
  [ "$(jq -r 'select(.name == "producer_send_success") | "\(.partition) \(.offset) \(.value)"' events | sort)" = \
    "$(jq -r 'select(.name == "record_data") | "\(.partition) \(.offset) \(.value)"' events | sort)" ]
  [ "$(jq -r 'select(.name == "record_data").value' events | sort -u | wc -l)" = 1000 ]
  nothing_left
}

@test "verify: records of others do not count" {
  pg-topic create t
  seq 1000 | pg-produce t
  pg-bench verify --topic t --count 10 --rate 1000 | jq -es 'map(select(.name == "record_data")) | map(.offset) == [range(1000; 1010)]'
}

@test "scenarios: by name, and all of them are listed" {
  [ "$(pg-bench scenarios --list | cut -d ' ' -f 1)" = $'leader-election\nsend\nsend-parallel\nreceive\nreceive-parallel\nprocessing\nprocessing-parallel' ]
  pg-bench scenarios --json receive-parallel | jq -e '.bench == "consume" and .options.processes == 4'
  pg-bench scenarios --list | grep -qx 'leader-election      pg-bench failover'
  fails 2 "*no scenario 'nope'*" pg-bench scenarios nope
}

@test "what cannot be measured is said, with the exit code of its cause" {
  fails 3 "*topic 'none' does not exist*" pg-bench produce --topic none --count 1
  fails 1 "*values*" pg-bench produce --values values --count 1
  touch values
  fails 2 "*'values' has no line*" pg-bench produce --values values --count 1
  fails 7 "*record*" pg-bench produce --value-bytes 2M --count 1
  fails 2 "*replication factor 3: the cluster has 1 broker*" pg-bench produce --replication-factor 3 --count 1
  fails 2 "*--duration*" pg-bench produce --duration 5
  fails 2 "*" pg-bench worker
  fails 2 "*" pg-bench broker
  nothing_left
}

@test "nobody reads standard output: the topic goes, and the process ends as other tools do" {
  for command in 'produce --count 1' 'open --count 1' 'recover --bytes 1' 'verify --count 10'; do
    exec 5> >(true)
    wait $!
    status=0
    # shellcheck disable=SC2086 # words
    pg-bench $command >&5 2>errors || status=$?
    exec 5>&-
    [ "$status" = 141 ]
    [ ! -s errors ]
    nothing_left
  done
}

@test "consume: a result is printed also where the disk cannot be measured" {
  seq 100 | pg-produce t
  pg-bench produce --json --topic t --count 1 >/dev/null
  # The file that it writes to there cannot be made.
  bash -c 'ulimit -f 0; pg-bench consume --json --topic t 2>&1' | cat >output
  grep -q "the machine itself could not be measured" output
  grep '^{' output | jq -e '.records == 101 and (has("machine") | not)'
}

@test "a process of it that dies ends the others" {
  pg-bench produce --duration 1h -P 3 2>said &
  bench=$!
  until_true eval '[ "$(pgrep -c -P '$bench')" = 3 ]'
  kill -9 "$(pgrep -P $bench | tail -n 1)"
  ends_with 1 $bench
  grep -q 'killed by signal 9' said
  nothing_left
}

@test "interrupted: the topic goes, the processes end" {
  pg-bench produce --duration 60s &
  bench=$!
  until_true pgrep -P $bench >/dev/null
  kill -INT $bench
  ends_with 130 $bench
  until_true test -z "$(pgrep -f "worker send $PG_HOME")"
  nothing_left
}
