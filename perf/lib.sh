# Common to the scripts of this folder, which source it: options, a work folder, alternating runs, and the line they print.
# shellcheck shell=bash
#
# Environment: PG_BIN (folder of the tools), PG_PERF_LINES (lines of the input, 10000000), PG_PERF_DIR (share a work folder
# and its input between scripts, as perf/run does), TMPDIR.
set -euo pipefail

rounds=5
while (($#)); do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --rounds=*) rounds=${1#*=}; shift ;;
    *) echo "usage: ${usage:-${0##*/} [--rounds N]}" >&2; exit 2 ;;
  esac
done

lines=${PG_PERF_LINES:-10000000}
bin=$(realpath -- "${PG_BIN:-$(dirname "${BASH_SOURCE[0]}")/../build/release/bin}")
[[ -x $bin/pg-produce ]] || { echo "${0##*/}: no tools in $bin: build first, or set PG_BIN" >&2; exit 1; }
export PATH=$bin:$PATH

shared=${PG_PERF_DIR:-}
work=${shared:-$(mktemp -d "${TMPDIR:-/tmp}/pg-perf.XXXXXX")}
export PG_HOME=$work/home
clean_up() {
  if [[ -n $shared ]]; then rm -rf "$PG_HOME" "$work"/{out,samples}*; else rm -rf "$work"; fi
}
trap clean_up EXIT

progress() { [[ ! -t 2 ]] || printf '\r\033[K%s' "$*" >&2; }

# $lines lines of 100 bytes, newline included, in the file $input, made once and left in the page cache
make_input() {
  input=$work/input.$lines
  if [[ ! -s $input ]]; then
    progress "making $lines lines of input"
    # base64 ends with SIGPIPE when head has enough
    { base64 -w 99 /dev/urandom || true; } 2>/dev/null | head -n "$lines" >"$input"
  fi
  cat "$input" >/dev/null
}

# measure PREPARE COMMAND: seconds that COMMAND takes, a line for sh, after PREPARE, another
measure() {
  printf '%s\n' "$1" >"$work/out.prepare"
  printf '%s\n' "$2" >"$work/out.command"
  hyperfine -N -r 1 --show-output --export-json "$work/out.json" \
    --prepare "sh '$work/out.prepare'" "sh '$work/out.command'" >"$work/out.log" 2>&1 || {
    echo "${0##*/}: failed: $2" >&2
    cat "$work/out.log" >&2
    exit 1
  }
  jq '.results[0].times[0]' "$work/out.json"
}

# alternate PREPARE_A A PREPARE_B B: writes "seconds-of-A seconds-of-B" per round to $work/samples
alternate() {
  local round a b
  : >"$work/samples"
  for ((round = 1; round <= rounds; round++)); do
    progress "${0##*/}: round $round of $rounds"
    a=$(measure "$1" "$2")
    b=$(measure "$3" "$4")
    echo "$a $b" >>"$work/samples"
  done
  progress ""
}

# report ROW GOAL [SAMPLES [OURS YARDSTICK]]: the line of a row, from lines of two numbers, ours and the yardstick's, which may have
# other names; without a goal if that is empty
report() {
  jq -Rrsn --arg row "$1" --arg goal "$2" --arg ours "${4:-ours}" --arg yardstick "${5:-yardstick}" '
    def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2] + .[length / 2 - 1]) / 2 end;
    def round_to($digits): pow(10; $digits) as $p | . * $p | round / $p;
    [input | splits("\n") | select(. != "") | split(" ") | map(tonumber)]
    | map(.[0] / .[1]) as $ratios
    | "\($row) ratio \($ratios | median | round_to(3)) (\($ratios | min | round_to(3))-\($ratios | max | round_to(3)))"
      + if $goal == "" then "" else " goal \($goal)" end
      + " \($ours) \(map(.[0]) | median | round_to(6)) \($yardstick) \(map(.[1]) | median | round_to(6))"
  ' "${3:-$work/samples}"
}

# shellcheck disable=SC2034 # for the scripts that source this
# Prepare lines. A topic made anew, what was written before on its way to the disk, so that no run pays for another.
fresh_topic='pg-topic delete --yes t >/dev/null 2>&1; pg-topic create t >/dev/null && sync'
# shellcheck disable=SC2034
fresh_file="rm -f '$work/out.file'; sync"

# A fast wrong answer is none: the topic holds every line of the input.
check_topic() {
  local end
  end=$(pg-topic offsets t | cut -f 4)
  [[ $end == "$lines" ]] || { echo "${0##*/}: the topic ends at offset $end, not $lines" >&2; exit 1; }
}
