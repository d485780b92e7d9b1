# Brokers as processes: started, stopped, killed.
load helper

teardown() {
  local pids
  pids=$(jobs -p)
  # shellcheck disable=SC2086 # a list
  [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
}

# says FILE TEXT: a line of the file has the text
says() { grep -qF -- "$2" "$1"; }

@test "run: is a broker until a signal ends it, and a second process for it is refused by name" {
  local signal
  for signal in TERM INT; do
    env --default-signal=INT "$PG_BIN/pg-cluster" run --broker 0 2>said 3>&- &
    local broker=$!
    until_true says said "broker 0 runs"
    fails 4 "*broker 0 runs already*locks/broker-0.lock*" pg-cluster run --broker 0
    kill -s "$signal" "$broker"
    ends_with 0 "$broker"
  done
}

@test "run: a broker that is killed leaves nothing in the way of the next" {
  pg-cluster run --broker 0 2>said 3>&- &
  local broker=$!
  until_true says said "broker 0 runs"
  kill -KILL "$broker"
  ends_with 137 "$broker"
  pg-cluster run --broker 0 2>again 3>&- &
  until_true says again "broker 0 runs"
  kill $!
  ends_with 0 $!
}

@test "run: a broker that there is not is exit 3, and none is exit 2" {
  fails 3 "*there is no broker 7: the cluster has 0*" pg-cluster run --broker 7
  fails 2 "*add --broker N*" pg-cluster run
  fails 2 "*--broker: 'x'*" pg-cluster run --broker x
}
