#!/usr/bin/env bats
# The documents tell the truth: their examples print what they show, the example programs run, the pages render.
# PG_BIN names the folder of the tools and the example programs.
# shellcheck disable=SC2016 # examples are commands in single quotes

bats_require_minimum_version 1.5.0

setup() {
  PATH=${PG_BIN:?PG_BIN must name the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  root=$(realpath "$BATS_TEST_DIRNAME/../..")
  cd "$BATS_TEST_TMPDIR" || return
}

run_examples() { "$BATS_TEST_DIRNAME/run_examples.py" "$root/$1"; }

@test "README: its commands print what it shows" {
  run_examples README.md
}

@test "README: its package list is that of scripts/bootstrap" {
  # Words between "apt-get install" and the end of the command; the array of the script without its comments
  sed -n '/apt-get install/,/[^\\]$/p' "$root/README.md" | sed 's/#.*//; s/sudo apt-get install//; s/\\$//' | tr -s ' ' '\n' | sed '/^$/d' | sort >in_readme
  sed -n '/^packages=(/,/^)/p' "$root/scripts/bootstrap" | sed '1d; $d; s/#.*//' | tr -d ' ' | sort >in_bootstrap
  [[ -s in_bootstrap ]]
  diff in_bootstrap in_readme
}

@test "pg-produce(1): its examples print what it shows" {
  run_examples man/pg-produce.1.scd
}

@test "pg-consume(1): its examples print what it shows" {
  run_examples man/pg-consume.1.scd
}

@test "pg-topic(1): its examples print what it shows" {
  run_examples man/pg-topic.1.scd
}

@test "pg-group(1): its examples print what it shows" {
  run_examples man/pg-group.1.scd
}

@test "pg-cluster(1): its examples print what it shows" {
  run_examples man/pg-cluster.1.scd
}

@test "pg-schema(1): its examples print what it shows" {
  run_examples man/pg-schema.1.scd
}

@test "pg-bench(1): its examples print what it shows" {
  run_examples man/pg-bench.1.scd
}

@test "pilgrimage-format(5): its examples print what it shows" {
  run_examples man/pilgrimage-format.5.scd
}

@test "pilgrimage(7): its examples print what it shows" {
  run_examples man/pilgrimage.7.scd
}

@test "every page with examples is run by a test" {
  for page in "$root"/man/*.scd; do
    grep -q '^# EXAMPLES$' "$page"
    grep -q "run_examples man/${page##*/}\$" "$BATS_TEST_FILENAME"
  done
}

@test "run_examples.py notices wrong output, a failing command and a document without examples" {
  check() { printf '%s\n' '```console' "$@" '```' >t.md && "$BATS_TEST_DIRNAME/run_examples.py" t.md; }
  check '$ echo a; echo b' a b
  check '$ echo a1b; seq 9' a…b … 8 9
  check '$ for i in 1 2; do' '>   echo $i' '> done' 1 2 '$ true'
  run ! check '$ echo a' b
  run ! check '$ echo a' a a
  run ! check '$ echo a; echo b' a
  run ! check '$ false'
  run ! check '$ false | true'
  echo 'no example' >t.md
  run ! "$BATS_TEST_DIRNAME/run_examples.py" t.md
}

@test "hello: ten lines that send and receive" {
  run -0 hello "$PG_HOME"
  [[ $output == "Hello, world!" ]]
  [[ $(grep -vcE '^(//|$)' "$root/core/examples/hello.cc") -le 10 ]]
  run ! grep -E '#include ("|<[^ip])' "$root/core/examples/hello.cc"
}

@test "simple_send_receive" {
  run -0 simple_send_receive "$PG_HOME"
  [[ $output == "received first: Hello, world!" ]]
  run -0 simple_send_receive "$PG_HOME"
  [[ ${#lines[@]} == 2 ]]
  [[ $(pg-consume -K = greetings) == $'first=Hello, world!\nfirst=Hello, world!' ]]
}

@test "multi_send_receive" {
  run -0 multi_send_receive "$PG_HOME"
  [[ $(grep -c '^first: orders-' <<<"$output") == 4 ]]
  [[ $(grep -c '^first: payments-' <<<"$output") == 4 ]]
  # What the second consumer saw is what the first one saw of that partition.
  [[ $(sed -n 's/^second: //p' <<<"$output") == "$(sed -n 's/^first: \(orders-0 .*\)/\1/p' <<<"$output")" ]]
  [[ $(pg-topic offsets orders | wc -l) == 3 ]]
  # A second run finds the topics made.
  multi_send_receive "$PG_HOME"
}

@test "thread_send_receive" {
  for _ in 1 2 3; do
    run -0 thread_send_receive "$PG_HOME"
    [[ $output == "$(seq -f 'received message %.0f' 0 9)" ]]
  done
}

@test "the example programs fail where there is no home to be had" {
  touch file
  for program in simple_send_receive multi_send_receive thread_send_receive; do
    run ! "$program" file
    [[ $output == *"(file)"* ]]
    run ! "$program"
    [[ $output == "usage: $program HOME" ]]
  done
}

@test "the example programs are under 60 lines each" {
  for file in "$root"/core/examples/*.cc; do
    [[ $(wc -l <"$file") -lt 60 ]]
  done
}

@test "the picture of a terminal shows what the tools print" {
  /usr/bin/python3 -c "import rich" || skip "python3-rich is not installed"
  "$root/scripts/draw-terminal" | cmp - "$root/man/terminal.svg"
}

@test "scdoc builds every page, and man renders it without a warning" {
  command -v scdoc >/dev/null || skip "scdoc is not installed"
  [[ -x $PG_BIN/expand_page ]] || skip "installed tools have no expand_page"
  for page in "$root"/man/*.scd; do
    name=${page##*/}
    "$PG_BIN/expand_page" 1.2.3 <"$page" | scdoc >"${name%.scd}"
    command -v man >/dev/null || continue
    for width in 80 132; do
      MANWIDTH=$width LC_ALL=C.UTF-8 man --warnings -l "${name%.scd}" >rendered 2>warnings
      cat warnings
      [[ ! -s warnings && $(wc -l <rendered) -gt 50 ]]
    done
  done
}
