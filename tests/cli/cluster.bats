# Brokers as processes: started, stopped, killed, looked after.
load helper

# Brokers make no home.
eval "$(declare -f setup | sed '1s/setup/setup_place/')"
setup() {
  setup_place
  pg-cluster init --brokers 1
}

teardown() {
  local pids
  pids=$(jobs -p)
  # shellcheck disable=SC2086 # a list
  [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
  # A broker dies with who looks after it.
  local lock number
  for lock in "$PG_HOME"/locks/supervisor-*.lock; do
    number=${lock##*-}
    number=${number%.lock}
    [ -e "$lock" ] || continue
    for pids in $(supervisor_pid "$number"); do kill -KILL "$pids" 2>/dev/null || true; done
    until_true is_free "$number"
  done
  if mountpoint -q "$BATS_TEST_TMPDIR/disk"; then umount "$BATS_TEST_TMPDIR/disk"; fi
}

# holder FILE: the process that has byte 0 or 1 of a lock file locked, if any
holder() {
  local file
  for file in $(grep -lsE "OFDLCK .*:$(stat -c %i "$PG_HOME/locks/$1" 2>/dev/null) [01] " /proc/[0-9]*/fdinfo/* || true); do
    [ "${file/fdinfo/fd}" -ef "$PG_HOME/locks/$1" ] || continue
    file=${file#/proc/}
    echo "${file%%/*}"
  done
}
broker_pid() { holder "broker-$1.lock"; }
supervisor_pid() { holder "supervisor-$1.lock"; }
is_free() { [ -z "$(broker_pid "$1")$(supervisor_pid "$1")" ]; }
# runs_as_other N PID: broker N runs, and not as PID
runs_as_other() { local pid && pid=$(broker_pid "$1") && [ -n "$pid" ] && [ "$pid" != "$2" ]; }
# is_gone PID: there is no such process
is_gone() { ! kill -0 "$1" 2>/dev/null; }

broker_log() { echo "$PG_HOME/logs/broker-$1.log"; }
# says FILE TEXT: a line of the file has the text
says() { grep -qF -- "$2" "$1"; }

# hold_lock FILE [FIRST COUNT]: another process, $holder, has bytes of a lock file locked; without FIRST, byte 0
hold_lock() {
  mkdir -p "$PG_HOME/locks"
  mkfifo held
  /usr/bin/python3 - "$PG_HOME/locks/$1" "${2:-0}" "${3:-1}" >held 3>&- <<'END' &
import fcntl, os, struct, sys, time
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, int(sys.argv[2]), int(sys.argv[3]), 0))  # F_OFD_SETLK
print("held", flush=True)
time.sleep(1000)
END
  holder=$!
  head -n 1 held
}

@test "run: is a broker until a signal ends it, and a second process for it is refused by name" {
  local signal
  for signal in TERM INT; do
    env --default-signal=INT "$PG_BIN/pg-cluster" run --broker 0 2>said 3>&- &
    local broker=$!
    until_true says said "broker 0: runs"
    fails 4 "*another process is broker 0 already*locks/broker-0.lock*" pg-cluster run --broker 0
    kill -s "$signal" "$broker"
    ends_with 0 "$broker"
  done
}

@test "run: a broker that is killed leaves nothing in the way of the next" {
  pg-cluster run --broker 0 2>said 3>&- &
  local broker=$!
  until_true says said "broker 0: runs"
  kill -KILL "$broker"
  ends_with 137 "$broker"
  pg-cluster run --broker 0 2>again 3>&- &
  until_true says again "broker 0: runs"
  kill $!
  ends_with 0 $!
}

@test "run: a broker that there is not is exit 3, and none is exit 2" {
  fails 3 "*there is no broker 7: the cluster has 0*" pg-cluster run --broker 7
  fails 2 "*add --broker N*" pg-cluster run
  fails 2 "*--broker: 'x'*" pg-cluster run --broker x
}

@test "start: the broker runs when it returns; stop: it has ended when it returns" {
  pg-cluster start 0
  local broker
  broker=$(broker_pid 0)
  kill -0 "$broker"
  [ "$(ps -o ppid= -p "$broker" | tr -d ' ')" = "$(supervisor_pid 0)" ]
  fails 4 "*another process is broker 0 already*" pg-cluster run --broker 0
  pg-cluster stop 0
  is_free 0
  pg-cluster start --all
  runs_as_other 0 "$broker"
  pg-cluster stop --all
  is_free 0
}

@test "start and stop say so where there is nothing to do, and do not fail" {
  run -0 --separate-stderr pg-cluster stop 0
  [ "$stderr" = "pg-cluster stop: broker 0 does not run" ]
  pg-cluster start 0
  local broker
  broker=$(broker_pid 0)
  run -0 --separate-stderr pg-cluster start 0
  [ "$stderr" = "pg-cluster start: broker 0 runs already" ]
  [ "$(broker_pid 0)" = "$broker" ]
  run -0 --separate-stderr pg-cluster start -q 0
  [ -z "$stderr" ]
}

@test "start and stop want numbers or --all, and name the brokers that there are" {
  local command
  for command in start stop; do
    fails 2 "*either their numbers or --all*" pg-cluster "$command"
    fails 2 "*either their numbers or --all*" pg-cluster "$command" --all 0
    fails 2 "*'x' is not a number*" pg-cluster "$command" x
    fails 2 "*'-1'*" pg-cluster "$command" -- -1
    fails 3 "*there is no broker 5: the cluster has 0*" pg-cluster "$command" 0 5
  done
  is_free 0
}

@test "started several times at once, there is one broker" {
  local starts=() start
  for _ in 1 2 3 4 5; do
    pg-cluster start -q 0 3>&- &
    starts+=($!)
  done
  for start in "${starts[@]}"; do ends_with 0 "$start"; done
  [ "$(broker_pid 0 | wc -w)" -eq 1 ]
  [ "$(supervisor_pid 0 | wc -w)" -eq 1 ]
}

@test "what runs in the background has nothing of its starter's: descriptors, directory, terminal" {
  exec 7>mine
  # The substitution would wait for whoever has its pipe.
  [ -z "$(cd / && env -u PG_HOME pg-cluster start --home "${PG_HOME#/}" 0 2>&1)" ]
  local pid
  for pid in $(supervisor_pid 0) $(broker_pid 0); do
    [ "$(readlink "/proc/$pid/cwd")" = / ]
    [ "$(readlink "/proc/$pid/fd/0")" = /dev/null ]
    [ "$(ps -o sid= -p "$pid" | tr -d ' ')" = "$(supervisor_pid 0)" ]
    [ "$(ps -o comm= -p "$pid")" = pg-cluster ]
    readlink /proc/"$pid"/fd/* | { ! grep -F "$PWD/mine"; }
  done
  exec 7>&-
}

@test "a broker that is killed is started again" {
  pg-cluster start 0
  local first second
  first=$(broker_pid 0)
  kill -KILL "$first"
  until_true runs_as_other 0 "$first"
  second=$(broker_pid 0)
  kill -ABRT "$second"
  until_true runs_as_other 0 "$second"
  says "$(broker_log 0)" "broker 0 was killed by signal 9 (Killed)"
  says "$(broker_log 0)" "broker 0 was killed by signal 6 (Aborted)"
  says "$(broker_log 0)" "broker 0 is started again in 100 ms"
  pg-cluster stop 0
  is_free 0
}

@test "a broker that cannot start any more is tried less and less often, and stop ends who waits for it" {
  pg-cluster start 0
  mv "$PG_HOME/brokers/0" away
  kill -KILL "$(broker_pid 0)"
  local n
  for n in 100 200 400 800 1600; do until_true says "$(broker_log 0)" "broker 0 is started again in $n ms"; done
  pg-cluster stop 0
  is_free 0
}

@test "a broker that somebody else stops is not started again" {
  pg-cluster start 0
  kill "$(broker_pid 0)"
  until_true is_free 0
  pg-cluster start 0
}

@test "a broker dies with who looks after it, and can be started again" {
  pg-cluster start 0
  kill -KILL "$(supervisor_pid 0)"
  until_true is_free 0
  pg-cluster stop 0
  pg-cluster start 0
  [ -n "$(broker_pid 0)" ]
}

# A broker that ends holds its locks for a moment: while its files are still in /proc, and also when they are not.
@test "stop and start wait for a broker that ends at this moment with its supervisor" {
  local supervisor
  for _ in {1..12}; do
    pg-cluster start 0
    kill -KILL "$(supervisor_pid 0)"
    pg-cluster stop 0
    pg-cluster start 0
    supervisor=$(supervisor_pid 0)
    kill -KILL "$supervisor"
    until_true is_gone "$supervisor"
    pg-cluster start 0
    [ -n "$(supervisor_pid 0)" ]
    pg-cluster stop 0
  done
}

@test "a broker that has lost its supervisor is not taken for one in the foreground" {
  hold_lock broker-0.lock 1 2
  fails 4 "*broker 0 has not stopped yet: process $holder is the broker*" pg-cluster stop --timeout 50ms 0
  fails 4 "*broker 0 is not ready yet*" pg-cluster start --timeout 50ms 0
  pg-cluster start 0 3>&- &
  local starter=$!
  kill "$holder"
  ends_with 0 "$starter"
  [ -n "$(supervisor_pid 0)" ]
}

@test "stop says who runs a broker that is not in the background" {
  pg-cluster run --broker 0 2>said 3>&- &
  local broker=$!
  until_true says said "broker 0: runs"
  fails 1 "*broker 0 runs in the foreground, as process $broker*" pg-cluster stop 0
  run -0 --separate-stderr pg-cluster start 0
  [ "$stderr" = "pg-cluster start: broker 0 runs already, in the foreground" ]
  kill "$broker"
  ends_with 0 "$broker"
}

@test "stop waits no longer than it is told, and names who has not ended" {
  pg-cluster start 0
  local supervisor
  supervisor=$(supervisor_pid 0)
  kill -STOP "$supervisor"
  fails 4 "*broker 0 has not stopped yet: process $(broker_pid 0) is the broker, process $supervisor looks after it" \
    pg-cluster stop --timeout 50ms 0
  kill -CONT "$supervisor"
  until_true is_free 0
}

@test "start waits no longer than it is told for a broker that does not get to work" {
  hold_lock supervisor-0.lock
  fails 4 "*broker 0 is not ready yet*broker-0.log*" pg-cluster start -q --timeout 50ms 0
}

@test "start says why a broker ends at once, and leaves nothing behind" {
  mkdir -p "$PG_HOME/locks/broker-0.lock"
  fails 1 "pg-cluster start: broker 0 ended with exit status 1: pg-cluster run: *Is a directory*broker-0.lock*" pg-cluster start 0
  is_free 0
  rmdir "$PG_HOME/locks/broker-0.lock"
  pg-cluster start 0
}

@test "start says why there can be no log" {
  pg-topic list
  : >"$PG_HOME/logs"
  fails 1 "*$PG_HOME/logs*" pg-cluster start 0
  is_free 0
}

@test "the log has times, and one older one: it does not grow for ever" {
  mkdir -p "$PG_HOME/logs"
  head -c 1048577 /dev/zero | tr '\0' x >"$(broker_log 0)"
  pg-cluster start 0
  pg-cluster stop 0
  [ "$(stat -c %s "$(broker_log 0).1")" -eq 1048577 ]
  [ "$(stat -c %s "$(broker_log 0)")" -lt 10000 ]
  run ! grep -vE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z ' "$(broker_log 0)"
  says "$(broker_log 0)" "pg-cluster run: broker 0: runs"
  cp "$(broker_log 0)" before
  pg-cluster start 0
  pg-cluster stop 0
  cmp -n "$(stat -c %s before)" before "$(broker_log 0)" # more of it, behind
  ls "$PG_HOME/logs" >names
  [ "$(cat names)" = $'broker-0.log\nbroker-0.log.1' ]
}

@test "a log that somebody moves away is begun anew" {
  pg-cluster start 0
  rm "$(broker_log 0)"
  pg-cluster stop 0
  says "$(broker_log 0)" "broker 0 ended with exit status 0"
}

# brokers: the numbers and log directories that the cluster has
brokers() { pg-cluster status --json | jq -r '"\(.broker) \(.log_dir)"'; }

@test "init: brokers in the home or elsewhere, more of them later, and none goes" {
  seq 3 | pg-produce before
  pg-cluster init --brokers 2 --log-dir "1=$PWD/disk"
  [ "$(brokers)" = "0 $PG_HOME/brokers/0
1 $PWD/disk" ]
  grep -qx broker.id=1 disk/meta.properties
  pg-cluster init --brokers 3
  pg-cluster init --brokers 3 # again
  [ "$(brokers)" = "0 $PG_HOME/brokers/0
1 $PWD/disk
2 $PG_HOME/brokers/2" ]
  fails 2 "*the brokers 0, 1, 2: none can be removed*" pg-cluster init --brokers 2
  fails 1 "*broker 1 has the log directory $PWD/disk already*" pg-cluster init --brokers 3 --log-dir "1=$PWD/other"
  [ "$(brokers | wc -l)" -eq 3 ]
  [ "$(pg-consume before)" = "$(seq 3)" ]
  [ "$(pg-topic describe --json before | jq -c '.partitions[0].replicas')" = '[0]' ]
}

@test "init: a log directory of another cluster, or of another broker, is refused" {
  pg-cluster init --home other --brokers 2
  fails 1 "*belongs to broker 1 of another cluster*other/brokers/1*" pg-cluster init --brokers 2 --log-dir "1=$PWD/other/brokers/1"
  fails 1 "*belongs to broker 0 of this cluster*" pg-cluster init --brokers 2 --log-dir "1=$PG_HOME/brokers/0"
  [ "$(brokers | wc -l)" -eq 1 ]
  : >file
  fails 1 "*(*/file*)" pg-cluster init --brokers 2 --log-dir "1=$PWD/file"
}

@test "init and alter check what they are told" {
  fails 2 "*add --brokers N*" pg-cluster init
  fails 2 "*--brokers*" pg-cluster init --brokers 0
  fails 2 "*--brokers: at most 64*" pg-cluster init --brokers 65
  fails 2 "*--log-dir: there will be no broker 2*" pg-cluster init --brokers 2 --log-dir "2=$PWD/disk"
  fails 2 "*ID=DIR*" pg-cluster init --brokers 2 --log-dir "$PWD/disk"
  fails 2 "*absolute path*" pg-cluster init --brokers 2 --log-dir 1=disk
  fails 2 "*unknown config 'retention.ms' of a cluster*" pg-cluster init --brokers 2 -c retention.ms=1
  [ "$(brokers)" = "0 $PG_HOME/brokers/0" ]
  fails 2 "*add -c NAME=VALUE*" pg-cluster alter
  fails 2 "*must be a number from 200*" pg-cluster alter -c broker.session.timeout.ms=x
  fails 2 "*must be true or false*" pg-cluster alter -c auto.leader.rebalance.enable=1
  fails 2 "*at least twice*" pg-cluster alter -c broker.session.timeout.ms=1000 -c broker.heartbeat.interval.ms=900
}

@test "init and alter: configs stay until they are changed" {
  # of the newest version
  config() { jq -c .config "$(printf '%s\n' "$PG_HOME"/cluster.json.v* | sort -V | tail -n 1)"; }
  pg-cluster init --brokers 2 -c replica.lag.time.max.ms=5000
  pg-cluster alter -c auto.leader.rebalance.enable=false
  pg-cluster init --brokers 3
  [ "$(config)" = '{"auto.leader.rebalance.enable":"false","replica.lag.time.max.ms":"5000"}' ]
  pg-cluster alter -c replica.lag.time.max.ms=6000
  [ "$(config | jq -r '."replica.lag.time.max.ms"')" = 6000 ]
}

@test "start and stop: all brokers, or those that are named" {
  pg-cluster init --brokers 3
  pg-cluster start --all
  local n
  for n in 0 1 2; do runs_as_other "$n" none; done
  pg-cluster stop 0 2
  is_free 0
  runs_as_other 1 none
  is_free 2
  run -0 --separate-stderr pg-cluster start 1 0
  [ "$stderr" = "pg-cluster start: broker 1 runs already" ]
  runs_as_other 0 none
  fails 3 "*there is no broker 3: the cluster has 0, 1, 2*" pg-cluster stop 3
  pg-cluster stop -q --all
  for n in 0 1 2; do is_free "$n"; done
}

@test "start: one broker that cannot start does not keep the others from it" {
  pg-cluster init --brokers 3
  rm "$PG_HOME/brokers/1/meta.properties"
  fails 3 "*broker 1 ended with exit status 3: *is its disk mounted?*/brokers/1)" pg-cluster start --all
  runs_as_other 0 none
  is_free 1
  runs_as_other 2 none
}

@test "a broker that is killed comes back and catches up" {
  pg-cluster init --brokers 3
  pg-cluster start --all
  pg-topic create --replication-factor 3 t
  seq 100 | pg-produce t
  local leader
  leader=$(pg-topic describe --json t | jq '.partitions[0].leader')
  kill -KILL "$(broker_pid "$leader")"
  seq 101 200 | pg-produce t
  pg-cluster health --wait
  pg-cluster verify
  [ "$(pg-consume t)" = "$(seq 200)" ]
}

@test "a log directory that cannot be made or written to is found before a home is made" {
  [ "$(id -u)" -eq 0 ] || skip "needs root to mount"
  mkdir disk
  mount -t tmpfs -o size=64k tmpfs disk || skip "cannot mount a tmpfs"
  export PG_HOME=$PWD/other
  run ! dd if=/dev/zero of=disk/fill bs=1k status=none
  fails 7 "*No space left on device*" pg-cluster init --brokers 2 --log-dir "1=$PWD/disk/b"
  [ ! -e other ]
  [ "$(ls disk)" = fill ]
  rm disk/fill
  mount -o remount,ro disk
  fails 1 "*Read-only file system*" pg-cluster init --brokers 3 --log-dir "1=$PWD/made" --log-dir "2=$PWD/disk/b"
  [ ! -e other ]
  [ ! -e made ]
  mount -o remount,rw disk
  pg-cluster init --brokers 3 --log-dir "1=$PWD/made" --log-dir "2=$PWD/disk/b"
  [ -e disk/b/meta.properties ]
}

@test "brokers start and stop while their disk is full" {
  [ "$(id -u)" -eq 0 ] || skip "needs root to mount"
  mkdir disk
  mount -t tmpfs -o size=2M tmpfs disk || skip "cannot mount a tmpfs"
  export PG_HOME=$PWD/disk/home
  pg-cluster init --brokers 2
  pg-topic create --replication-factor 2 t
  run ! dd if=/dev/zero of=disk/fill bs=4k status=none
  pg-cluster start --all
  runs_as_other 0 none
  runs_as_other 1 none
  pg-cluster stop --all
  is_free 0
  is_free 1
}
