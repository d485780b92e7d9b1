# Common to the tests of the tools. PG_BIN names the folder of the tools; each test has a home of its own.
# shellcheck shell=bash
bats_require_minimum_version 1.5.0

setup() {
  PATH=${PG_BIN:?names the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  cd "$BATS_TEST_TMPDIR" || exit 1
}

# fails STATUS TEXT COMMAND...: the command ends with STATUS and says TEXT (a pattern) in one line on stderr
fails() {
  local status_wanted=$1 text=$2
  shift 2
  run --separate-stderr "$@"
  echo "status $status, stderr: $stderr"
  [ "$status" -eq "$status_wanted" ]
  [ "${#stderr_lines[@]}" -eq 1 ]
  # shellcheck disable=SC2053 # a pattern is meant
  [[ $stderr == $text ]]
}

# ends_with STATUS PID: a process in the background ends with STATUS
ends_with() {
  local got=0
  wait "$2" || got=$?
  echo "process $2 ended with $got"
  [ "$got" -eq "$1" ]
}

# partition TOPIC [N]: its directory
partition() { echo "$PG_HOME/brokers/0/$1-${2:-0}"; }

# log TOPIC [N]: its first segment
log() { echo "$(partition "$@")/00000000000000000000.log"; }

# flip FILE POSITION: turns all bits of one byte over
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\x$(printf %02x $((255 - byte)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Sets files: real text. CMake's PG_TEST_LOGS names a folder of log files; without one, it is the sources of the unit tests.
# shellcheck disable=SC2034 # the caller's
real_files() {
  files=("$BATS_TEST_DIRNAME"/../unit/*/*.cc)
  [ -z "${TEST_LOGS-}" ] || files=("$TEST_LOGS"/*)
}

# until_true COMMAND...: waits for a condition, at most 20 s
until_true() {
  local tries
  for ((tries = 0; tries < 2000; tries++)); do
    if "$@"; then return; fi
    sleep 0.01
  done
  echo "never true: $*"
  return 1
}
