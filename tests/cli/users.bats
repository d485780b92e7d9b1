# Several users of one home: a user who can only read cannot keep writers waiting, and no process is killed because of what another user
# wrote into a file.
# shellcheck disable=SC2154 # run sets stderr
load helper

# another COMMAND...: as another user, without special rights
another() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

needs_another_user() {
  [ "$(id -u)" -eq 0 ] || skip "only root can be another user, too"
  another test -x "$PG_BIN/pg-produce" || skip "another user cannot run the tools where they are"
  # The folder of the test is for its user alone.
  shared=$(mktemp -d)
  chmod 777 "$shared"
  another test -w "$shared" || skip "another user cannot get to $shared"
  cd "$shared"
  export PG_HOME=$shared/home
}

teardown() {
  cd /
  rm -rf "${shared:-}"
}

# hold MODE BYTE FILE: holds a byte of it, read or write, until it is killed
hold() {
  /usr/bin/python3 - "$@" <<'P'
import fcntl, os, struct, sys, time
kind, flags = (fcntl.F_RDLCK, os.O_RDONLY) if sys.argv[1] == "read" else (fcntl.F_WRLCK, os.O_RDWR)
fd = os.open(sys.argv[3], flags)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", kind, os.SEEK_SET, int(sys.argv[2]), 1, 0))  # 37: F_OFD_SETLK
print("held", flush=True)
time.sleep(1000)
P
}

@test "a user who can only read can read, and cannot open any lock file" {
  needs_another_user
  (umask 022; seq 5 | pg-produce t; pg-consume -g g t >/dev/null)
  while read -r file; do
    echo "$file"
    ! another cat "$file" >/dev/null 2>&1
  done < <(find "$PG_HOME" -name '*.lock' -o -name .lock)
  [ "$(another pg-consume t)" = "$(seq 5)" ]
  [ "$(another pg-topic offsets t)" = $'t\t0\t0\t5' ]
  another pg-topic verify t
  another pg-group list
  fails 1 "*no permission to write*" setpriv --reuid 65534 --regid 65534 --clear-groups pg-produce t x
  # A reader that runs reads what is written later.
  another pg-consume -F -n 7 t >seen &
  seq 6 7 | pg-produce t
  wait $!
  [ "$(cat seen)" = "$(seq 7)" ]
}

@test "a user who can write can lock: the umask decides, and an access control list" {
  needs_another_user
  (umask 007; pg-produce t x)
  [ "$(stat -c %a "$(partition t)/partition.lock")" = 660 ]
  (umask 002; pg-produce u x)
  [ "$(stat -c %a "$(partition u)/partition.lock")" = 660 ]
  (umask 0; pg-produce v x)
  [ "$(stat -c %a "$(partition v)/partition.lock")" = 666 ]
  command -v setfacl >/dev/null || skip "no setfacl"
  setfacl -d -m u:65534:rX "$PG_HOME/brokers/0" || skip "no access control lists here"
  pg-produce w x
  ! another cat "$(partition w)/partition.lock"
}

@test "a lock file of before, which everybody can read, is closed by the next writer" {
  needs_another_user
  (umask 022; pg-produce t x)
  chmod 644 "$(partition t)/partition.lock"
  pg-produce t y
  [ "$(stat -c %a "$(partition t)/partition.lock")" = 600 ]
}

@test "a message blames no process for a lock that another one holds" {
  needs_another_user
  pg-produce t x
  chmod 644 "$(partition t)/partition.lock"
  hold read 0 "$(partition t)/partition.lock" >held 3>&- &
  local holder=$!
  until_true grep -q held held
  fails 4 "*held by a process that cannot be seen from here*" pg-produce --timeout 200ms t y
  kill $holder
}

@test "root takes over from a member of another user that hangs, and does not kill it" {
  needs_another_user
  umask 0
  another pg-produce t x
  setpriv --reuid 65534 --regid 65534 --clear-groups pg-consume -F -g g --session-timeout 1s t >seen 3>&- &
  local member=$!
  until_true grep -q x seen
  # A member that is stopped while it commits keeps the lock of the offsets, and root has to wait for it.
  until_true eval 'pg-group describe --json g | grep -q "\"committed_offset\":1"'
  kill -STOP $member
  pg-consume -F -g g t >taken 2>said 3>&- &
  local root=$!
  until_true grep -q 'has not moved for 1000 ms: its partitions are given to others' said
  kill -0 $member
  # It is out of the group: what it holds of the partition is its own until it goes on, and finds that.
  kill -CONT $member
  pg-produce t y
  until_true grep -q y taken seen
  kill $member $root
}
