# What a process inherits: limits, signals that are blocked or ignored; and system calls that get nowhere.
# shellcheck disable=SC2154 # run sets stderr
load helper

# held_by_another: somebody holds the append lock of t, until $holder is killed
held_by_another() {
  pg-produce t x
  /usr/bin/python3 - "$(partition t)/partition.lock" >held 3>&- <<'P' &
import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))  # 37: F_OFD_SETLK
print("held", flush=True)
time.sleep(1000)
P
  holder=$!
  until_true grep -q held held
}

# with_signals block|ignore COMMAND...: started with all signals blocked or ignored
with_signals() {
  /usr/bin/python3 - "$@" <<'P'
import os, signal, sys
for number in range(1, 65):
    if number in (signal.SIGKILL, signal.SIGSTOP, 32, 33): continue
    if sys.argv[1] == "ignore": signal.signal(number, signal.SIG_IGN)
    else: signal.pthread_sigmask(signal.SIG_BLOCK, {number})
os.execvp(sys.argv[2], sys.argv[2:])
P
}

@test "a time-out holds whatever signals are blocked or ignored, and however few may be queued" {
  held_by_another
  for how in block ignore; do
    fails 4 "*timed out waiting for the append lock*" timeout -s KILL 20 bash -c "$(declare -f with_signals); with_signals $how pg-produce --timeout 300ms t y"
  done
  fails 4 "*timed out waiting for the append lock*" timeout -s KILL 20 bash -c 'ulimit -i 0; exec pg-produce --timeout 300ms t y'
  # Without a timer the lock is got all the same.
  (ulimit -i 0; exec pg-produce --timeout 20s t y) 3>&- &
  sleep 0.3
  kill $holder
  wait $!
  [ "$(pg-consume t)" = $'x\ny' ]
}

@test "a follower that was started with signals blocked can be stopped" {
  pg-produce t x
  with_signals block pg-consume -F -g g t >seen 3>&- &
  local pid=$!
  until_true grep -q x seen
  kill -TERM $pid
  ends_with 143 $pid
}

@test "the limit that was met is named, with its value and how it is changed" {
  [ -z "${TEST_SANITIZER:-}" ] || skip "a sanitizer needs more files and memory than the limits"
  pg-topic create t --partitions 40
  seq 100 | pg-produce t
  fails 7 "*at the limit of 16 open files for a process, which 'ulimit -n' shows and sets: Too many open files*" bash -c 'ulimit -n 16; exec pg-consume t'
  fails 7 "*at the limit of 1024 bytes for a file, which 'ulimit -f' shows and sets: File too large*" bash -c 'ulimit -f 1; head -c 5000 /dev/zero | tr "\0" x | pg-produce t'
  head -c 50M /dev/zero >large
  fails 7 "*at the limit of * bytes of memory for a process, which 'ulimit -v' shows and sets" bash -c 'ulimit -v 40000; exec pg-produce --file large t'
}

@test "a call that takes nothing, or is interrupted again and again, is an error" {
  pg-produce t x
  fails 1 "*cannot write: the system takes no bytes and gives no reason*.log*" timeout 60 strace -f -qq -o /dev/null -e inject=pwrite64:retval=0 pg-produce t y
  run timeout 60 strace -f -qq -o /dev/null -e inject=write:retval=0 pg-consume t   # nor does standard error take any
  [ "$status" -eq 1 ]
  # The notice that the partition is offline comes before the error.
  run --separate-stderr timeout 60 strace -f -qq -o /dev/null -e inject=fdatasync:error=EINTR pg-produce t y
  [ "$status" -eq 1 ]
  [ "${#stderr_lines[@]}" -eq 2 ]
  [[ ${stderr_lines[1]} == *"written, but not flushed"*"Interrupted system call"*"1 records written" ]]
  fails 1 "*Interrupted system call*" timeout 60 strace -f -qq -o /dev/null -e inject=poll:error=EINTR bash -c 'pg-produce u <&0' </dev/null
}
