# Where a home is made, and where not; topics and files that are not what they should be.
load helper

can_mount() {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  mkdir -p mnt
  mount -t tmpfs none mnt || skip "cannot mount a tmpfs"
}

# Brokers make files until they see that their locks are gone.
remove_home() {
  until rm -rf "$PG_HOME" 2>/dev/null; do sleep 0.05; done
}

teardown() {
  pg-cluster stop --all >/dev/null 2>&1 || true
  umount -l "$BATS_TEST_TMPDIR/mnt" 2>/dev/null || true
}

# Notes tell of homes that have vanished since the machine started.
needs_notes() { [ -w /dev/shm ] || skip "notes of homes need a /dev/shm that this user can write to"; }

@test "no home is made where the disk of one is not mounted any more" {
  can_mount
  export PG_HOME=$PWD/mnt/pg
  pg-produce t a
  umount mnt
  fails 1 "*cannot make the home*is its disk mounted?*" pg-produce t b
  fails 1 "*cannot make the home*" pg-topic create t
  fails 1 "*cannot make the home*" pg-cluster init --brokers 1
  fails 1 "*there is no home*is its disk mounted?*" pg-consume t
  [ -z "$(ls -A mnt)" ]
}

@test "no home is made where the disk of one is not mounted any more, by whatever link it is named" {
  can_mount
  ln -s mnt link
  PG_HOME=$PWD/mnt/pg pg-produce t a
  PG_HOME=$PWD/link/other pg-produce t a
  umount mnt
  PG_HOME=$PWD/link/pg fails 1 "*cannot make the home*is its disk mounted?*" pg-produce t b
  PG_HOME=$PWD/mnt/other fails 1 "*cannot make the home*is its disk mounted?*" pg-produce t b
  PG_HOME=$PWD/mnt/pg fails 1 "*cannot make the home*is its disk mounted?*" pg-produce t b
  [ -z "$(ls -A mnt)" ]
}

@test "no home is made in a folder of another home" {
  pg-produce t a
  pg-consume -g g t >/dev/null
  ln -s home/topics link
  local inside command before
  before=$(find home | sort)
  for inside in home/topics home/topics/t home/topics/new home/brokers home/locks home/groups link link/x; do
    for command in "pg-produce t x" "pg-topic create t" "pg-cluster init --brokers 1" "pg-consume t"; do
      # shellcheck disable=SC2086
      fails 2 "*inside the home $PWD/home: --home $PWD/home*" env PG_HOME="$PWD/$inside" $command
    done
  done
  [ "$(find home | sort)" = "$before" ]
  pg-produce t x
  [ "$(pg-consume t)" = $'a\nx' ]
}

@test "no home is made in the place of one that was the mount point" {
  can_mount
  PG_HOME=$PWD/mnt pg-produce t a
  umount mnt
  PG_HOME=$PWD/mnt fails 1 "*is its disk mounted?*" pg-produce t b
  PG_HOME=mnt/ fails 1 "*is its disk mounted?*" pg-produce t b
  [ -z "$(ls -A mnt)" ]
}

@test "a home that was used but not made in this boot is missed too" {
  can_mount
  pg-produce t a
  cp -r home mnt/pg
  [ "$(pg-consume --home "$PWD/mnt/pg" t)" = a ]
  umount mnt
  fails 1 "*is its disk mounted?*" pg-produce --home "$PWD/mnt/pg" t b
  [ -z "$(ls -A mnt)" ]
}

@test "a home that was removed may be made again, also with the directory above" {
  pg-produce t a
  rm -r "$PG_HOME"
  pg-produce t b
  [ "$(pg-consume t)" = b ]
  mkdir above
  pg-produce --home above/home t a
  rm -r above
  mkdir above
  pg-produce --home above/home t b
  rm -r above/home
  mkdir above/home
  pg-produce --home above/home t c
  [ "$(pg-consume --home above/home t)" = c ]
}

@test "no home is made where one was removed under its brokers, and log directories elsewhere are named" {
  needs_notes
  mkdir disks
  pg-cluster init --brokers 3 --log-dir "1=$PWD/disks/1" --log-dir "2=$PWD/disks/2"
  pg-topic create --replication-factor 3 t
  pg-cluster start --all
  seq 10 | pg-produce t
  remove_home
  fails 1 "*log directories still exist: $PWD/disks/1, $PWD/disks/2*" pg-produce --timeout 2s t x
  fails 1 "*$PWD/disks/1*" pg-cluster init --brokers 3
  supervisors() { pgrep -f "pg-cluster supervise --home $PG_HOME" >/dev/null; }
  no_supervisor() { ! supervisors; }
  until_true no_supervisor
  [ ! -e "$PG_HOME" ]
  grep -q cluster.id disks/1/meta.properties
  [ -d disks/2/t-0 ]
}

@test "a cluster that was removed under its brokers is made again by init alone" {
  needs_notes
  pg-cluster init --brokers 2
  pg-cluster start --all
  remove_home
  fails 1 "*removed while brokers of it ran*" pg-produce t x
  fails 1 "*removed while brokers of it ran*" pg-topic create t
  pg-cluster init --brokers 1
  pg-produce t x
  # One whose brokers were stopped may go.
  pg-cluster start --all
  pg-cluster stop --all
  remove_home
  pg-produce t y
  [ "$(pg-consume t)" = y ]
}

@test "a producer whose home is removed ends within its timeout, and makes nothing" {
  mkdir disks
  pg-cluster init --brokers 2 --log-dir "1=$PWD/disks/1"
  pg-topic create --replication-factor 2 t
  pg-cluster start --all
  (while sleep 0.01; do echo x; done) | pg-produce --timeout 2s --flush batch t 2>said &
  producer=$!
  until_true test -s "$PG_HOME/brokers/0/t-0/00000000000000000000.log"
  remove_home
  began=$SECONDS
  status=0
  wait $producer || status=$?
  cat said
  [ "$status" -ne 0 ]
  [ $((SECONDS - began)) -le 8 ]
  [ ! -e "$PG_HOME" ]
}

@test "a reader makes no home, and names the one that is missing" {
  for command in "pg-consume t" "pg-topic list" "pg-topic describe" "pg-topic verify" "pg-topic delete --yes t" "pg-group list" "pg-schema list" \
    "pg-cluster status" "pg-cluster health" "pg-cluster start --all" "pg-cluster run --broker 0" "pg-produce --no-create t x"; do
    # shellcheck disable=SC2086
    fails 3 "*there is no home*$PWD/typo*" env PG_HOME="$PWD/typo" $command
  done
  [ ! -e typo ]
  fails 1 "*cannot make the home: $PWD/typo does not exist*" pg-produce --home "$PWD/typo/home" t x
  [ ! -e typo ]
}

@test "the default home is made below HOME, which must be there" {
  unset PG_HOME XDG_DATA_HOME
  mkdir user
  HOME=$PWD/user pg-produce t x
  [ "$(HOME=$PWD/user pg-consume t)" = x ]
  [ -d user/.local/share/pilgrimage/topics ]
  HOME=$PWD/nobody fails 1 "*$PWD/nobody does not exist*" pg-produce t x
  [ ! -e nobody ]
  HOME=$PWD/user XDG_DATA_HOME=$PWD/user/a/b pg-produce t y
  [ -d user/a/b/pilgrimage ]
  HOME=$PWD/user XDG_DATA_HOME=$PWD/data pg-produce t y
  [ -d data/pilgrimage ]
  HOME=$PWD/user XDG_DATA_HOME=$PWD/no/data fails 1 "*$PWD/no does not exist*" pg-produce t y
  [ ! -e no ]
}

@test "a relative HOME or XDG_DATA_HOME is ignored" {
  unset PG_HOME XDG_DATA_HOME
  mkdir user
  HOME=$PWD/user XDG_DATA_HOME=relative pg-produce t x
  [ ! -e relative ]
  [ -d user/.local/share/pilgrimage ]
  [ "$(id -u)" -eq 0 ] || skip "needs another user"
  # Without HOME, /etc/passwd names the home directory. The one of the user nobody does not exist.
  passwd=$(grep "^[^:]*:[^:]*:65534:" /etc/passwd | cut -d: -f6)
  [ -n "$passwd" ] && [ ! -e "$passwd" ] || skip "somebody lives there"
  setpriv --reuid 65534 --clear-groups test -x "$PG_BIN/pg-produce" || skip "another user cannot reach the tools"
  HOME=relative fails 1 "*$passwd does not exist*" setpriv --reuid 65534 --clear-groups "$PG_BIN/pg-produce" t x
  fails 1 "*$passwd does not exist*" env -u HOME setpriv --reuid 65534 --clear-groups "$PG_BIN/pg-produce" t x
}

@test "a log directory is no home, and the message names the one it belongs to" {
  needs_notes
  mkdir disks
  pg-cluster init --brokers 2 --log-dir "1=$PWD/disks/1"
  before=$(find disks home | sort)
  for command in "pg-topic list" "pg-produce t x" "pg-topic create t" "pg-cluster init --brokers 1"; do
    # shellcheck disable=SC2086
    fails 2 "*a log directory*--home $PWD/home*" env PG_HOME="$PWD/disks/1" $command
    # shellcheck disable=SC2086
    fails 2 "*a log directory*--home $PWD/home*" env PG_HOME="$PWD/home/brokers/0" $command
    # shellcheck disable=SC2086
    fails 2 "*a log directory*" env PG_HOME="$PWD/disks/1/home" $command
  done
  [ "$(find disks home | sort)" = "$before" ]
  mkdir kafka
  printf '#\n#Mon Nov 30\nversion=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\n' >kafka/meta.properties
  fails 2 "*a log directory, Kafka's*" pg-topic list --home kafka
  fails 2 "*a log directory, Kafka's*" pg-produce --home kafka t x
  [ "$(ls -A kafka)" = meta.properties ]
}

@test "a home on a file system that is not local is refused, and nothing is left" {
  fails 1 "*cannot make the home*proc*" pg-produce --home /proc/nope t x
  fails 1 "*on proc*" pg-cluster init --brokers 2 --log-dir 1=/proc/disk
  [ ! -e "$PG_HOME" ]
}

@test "no topic is made before the first record is accepted, and -v says that one is made" {
  fails 3 "*no partition 4*; 0 records written" pg-produce -p 4 new x
  [ ! -e "$PG_HOME" ]
  fails 2 "*no key delimiter*" pg-produce -K : new x
  head -c 2000000 /dev/zero | tr '\0' x >large
  run -7 pg-produce new <large
  [ ! -e "$PG_HOME" ]
  run --separate-stderr pg-produce -v new x
  [[ $stderr == *"made topic 'new' with 1 partition in $PG_HOME"* ]]
  run --separate-stderr pg-produce another x
  [ -z "$stderr" ]
  fails 3 "*no partition 4*" pg-produce -p 4 third x
  [ "$(pg-topic list)" = $'another\nnew' ]
  echo x | pg-produce --input-id p named
  [ "$(pg-consume named)" = x ]
  pg-produce empty </dev/null
  [ "$(pg-topic offsets empty)" = $'empty\t0\t0\t0' ]
}

@test "on a terminal the making of a topic is said" {
  script -qec true /dev/null || skip "no terminal can be opened here: is /dev/pts mounted?"
  run -0 script -qec "pg-produce onterminal x" /dev/null
  [[ $output == *"made topic 'onterminal'"* ]]
}

@test "empty or lost metadata of a topic is exit 6, and repair makes it of the directories" {
  pg-topic create --partitions 3 t
  seq 9 | pg-produce --partitioner round-robin t
  for damage in ": >home/topics/t/topic.json.v1" "rm -r home/topics/t" "rm -r home/topics"; do
    eval "$damage"
    for command in "pg-consume t" "pg-produce t x" "pg-topic describe t" "pg-topic create t" "pg-topic repair t" "pg-topic verify"; do
      # shellcheck disable=SC2086
      run -6 --separate-stderr $command
      [[ $stderr$output == *home/topics* || $stderr$output == *home/brokers/0/t-0* ]]
    done
    pg-topic repair --yes t
    [ "$(pg-consume t | sort)" = "$(seq 9)" ]
    pg-topic verify
    rm home/topics/t/topic.json.v[2-9]* 2>/dev/null && cp -n home/topics/t/topic.json.v1 . 2>/dev/null || true
    [ -s home/topics/t/topic.json.v1 ] || { rm -r home/topics/t && pg-topic repair --yes t; }
  done
}

@test "a version of a topic's metadata that was emptied is no deletion" {
  seq 5 | pg-produce t
  pg-topic alter t -c segment.bytes=100000
  : >home/topics/t/topic.json.v2
  fails 6 "*topic.json.v2*" pg-consume t
  fails 6 "*topic.json.v2*" pg-produce t x
  pg-topic repair --yes t
  [ "$(pg-consume t)" = "$(seq 5)" ]
  # A real one is one.
  pg-topic delete --yes t
  fails 3 "*does not exist*" pg-consume t
  pg-produce t again
  [ "$(pg-consume t)" = again ]
}

@test "verify names partition directories that no topic has" {
  pg-produce t x
  pg-produce u y
  cp -r home/brokers/0/t-0 home/brokers/0/t-7
  run -6 pg-topic verify
  [[ $output == *home/brokers/0/t-7* ]]
  rm -r home/brokers/0/t-7
  rm -r home/topics/t
  run -6 pg-topic verify
  [[ $output == *home/brokers/0/t-0* ]]
  [ "$(pg-consume u)" = y ]
}

@test "every topic is looked at, whatever is wrong with those before it" {
  for topic in a b c d; do pg-produce "$topic" x; done
  rm home/brokers/0/a-0/*.log home/brokers/0/a-0/partition.state
  flip home/brokers/0/b-0/00000000000000000000.log 65
  rm home/brokers/0/b-0/partition.state
  : >home/topics/c/topic.json.v1
  for command in verify describe offsets; do
    run -6 --separate-stderr pg-topic $command
    echo "$command: $output / $stderr"
    [[ $stderr$output == *a-0* ]]
    [[ $stderr == *topics/c/* ]]
  done
  run -6 pg-topic verify
  [[ $output == *b-0* ]]
  run -6 --separate-stderr pg-topic offsets
  [[ $output == *$'d\t0\t0\t1'* ]]
  run -6 --separate-stderr pg-topic list
  [ "$output" = $'a\nb\nc\nd' ]
}

@test "lost metadata of the home is exit 6, and init makes it of the log directories" {
  pg-produce t x
  rm home/cluster.json.v1
  fails 6 "*home/cluster.json.v1*" pg-consume t
  fails 6 "*home/cluster.json.v1*" pg-produce t y
  [ ! -e home/cluster.json.v1 ]
  pg-cluster init --brokers 1
  [ "$(pg-consume t)" = x ]
  : >home/cluster.json.v1
  fails 6 "*home/cluster.json.v1*" pg-topic list
  pg-cluster init --brokers 1
  [ "$(pg-consume t)" = x ]
}

@test "a FIFO, link or device in the place of a file is refused with its name, and never waited for" {
  pg-produce t x
  for file in home/brokers/0/t-0/00000000000000000000.log home/brokers/0/t-0/partition.metadata home/brokers/0/t-0/partition.lock \
    home/topics/t/topic.json.v1 home/cluster.json.v1 home/brokers/0/t-0/partition.state; do
    mv "$file" saved
    mkfifo "$file"
    for command in "pg-consume t" "pg-produce t y" "pg-topic verify t"; do
      # shellcheck disable=SC2086
      run --separate-stderr timeout 10 $command
      echo "$file: $command: $status $output $stderr"
      [ "$status" -ne 0 ] && [ "$status" -ne 124 ]
      [[ $output$stderr == *"$file"* ]]
    done
    rm "$file"
    mv saved "$file"
  done
  [ "$(pg-consume t)" = x ]
}

@test "links out of the home are refused, and a partition that is one can be deleted" {
  pg-produce t x
  mkdir elsewhere
  for directory in topics brokers/0 brokers topics/t; do
    mv "home/$directory" elsewhere/moved
    ln -s "$PWD/elsewhere/moved" "home/$directory"
    [ "$directory" = topics/t ] || fails 1 "*is a symbolic link, where a directory was expected*home/$directory)" pg-topic create new
    fails 1 "*is a symbolic link*home/$directory)" pg-produce t y
    rm "home/$directory"
    mv elsewhere/moved "home/$directory"
  done
  mv home/brokers/0/t-0 elsewhere/t-0
  ln -s "$PWD/elsewhere/t-0" home/brokers/0/t-0
  fails 1 "*is not a directory but a symbolic link*" pg-consume t
  pg-topic delete --yes t
  [ ! -e home/brokers/0/t-0 ]
  [ -e elsewhere/t-0/00000000000000000000.log ]
}

@test "a missing topic is found out before anything else, and internal topics are deleted only with --internal" {
  seq 3 | pg-produce t
  pg-consume -g g t >/dev/null
  fails 3 "*'nosuch' does not exist*" pg-topic delete nosuch
  fails 3 "*'nosuch' does not exist*" pg-topic delete --yes t nosuch
  fails 3 "*'nosuch' does not exist*" pg-topic trim -o 1 nosuch
  fails 3 "*'nosuch' does not exist*" pg-group delete nosuch
  fails 3 "*'nosuch' does not exist*" pg-group delete-offsets nosuch
  fails 3 "*'nosuch' does not exist*" pg-group delete-offsets g nosuch
  fails 3 "*no such subject 'nosuch'*" pg-schema delete --permanent nosuch
  [ "$(pg-topic list)" = t ]
  fails 2 "*--yes*" pg-topic delete t
  fails 2 "*--internal*" pg-topic delete --yes __consumer_offsets
  [ "$(pg-group list)" = g ]
  pg-topic delete --yes --internal __consumer_offsets
  [ -z "$(pg-group list)" ]
  seq 3 | pg-produce kept
  pg-consume -g g kept
  for command in "pg-topic trim -o end --yes" "pg-topic alter -c cleanup.policy=delete -c retention.ms=1" "pg-topic alter --unset segment.ms"; do
    # shellcheck disable=SC2086
    fails 2 "*add --internal*" $command __consumer_offsets
  done
  [ "$(pg-group lag g)" = 0 ]
  pg-topic alter --internal -c segment.ms=1000 __consumer_offsets
  pg-topic trim --internal -o start --yes __consumer_offsets
}
