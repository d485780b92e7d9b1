# pg-bench report: one HTML page of results.
load helper

# result NAME=VALUE...: a line with latency and timeline, in which members are set
result() {
  local filter='.'
  local each
  for each; do filter+="|.${each%%=*}=${each#*=}"; done
  jq -c "$filter" <<'EOF'
{"bench":"produce","subject":"","time":"2026-11-29T18:00:00.000Z","version":"0.1.0","options":{"value_bytes":100,"processes":2,"acks":"all"},"records":1000000,"bytes":100000000,"seconds":1.02,"records_per_second":980392,"bytes_per_second":98039215,"latency":{"until":"written","p50_us":12.1,"p90_us":20.0,"p99_us":90.3,"p99.9_us":200.0,"max_us":901.0},"histogram":[[12159,900000],[20000,100000]],"timeline":{"interval_ms":100,"records":[1000,1200]},"figures":{"seconds_per_gb":1.2},"machine":{"processors":2,"fdatasync_per_second":4210,"memory_bytes_per_second":9000000000,"pipe_bytes_per_second":1900000000}}
EOF
}

# page PATH FILE: the texts of the elements that PATH finds, one a line; fails if FILE is not well-formed
page() {
  python3 -c '
import sys, xml.etree.ElementTree
for found in xml.etree.ElementTree.parse(sys.argv[2]).getroot().iterfind(sys.argv[1]):
    print("".join(found.itertext()).strip())' "$1" "$2"
}
# paths ID FILE: how many lines the plot has; 0 if it is not there
paths() { page ".//svg[@aria-labelledby='$1-title $1-desc']/svg/path" "$2" | wc -l; }

@test "a table, plots with a line for each run, and the options" {
  result >a
  result 'options.acks="none"' 'records_per_second=500' >b
  pg-bench report a b -o out.html
  [ "$(page './/tbody/tr/th' out.html)" = "$(printf 'produce · acks=all\nproduce · acks=none')" ]
  [ "$(page './/tbody/tr[1]/td' out.html | paste -sd '|')" = '1,000,000|980,392|98.0|12.1 µs|20 µs|90.3 µs|200 µs|901 µs|4,210|9,000|1,900' ]
  [ "$(paths latency out.html)" -eq 2 ]
  [ "$(paths timeline out.html)" -eq 2 ]
  [ "$(page ".//ul[@class='bars']//rect/.." out.html | wc -l)" -eq 2 ]
  [ "$(page './/details/summary' out.html)" = "$(page './/tbody/tr/th' out.html)" ]
  page './/dt' out.html | grep -qx seconds_per_gb
  [ "$(page './/svg/desc' out.html | wc -l)" -eq 2 ]
}

@test "what a run lacks is left out, and so is a plot without a run" {
  result >a
  result 'bench="exec"' | jq -c 'del(.latency, .histogram, .timeline, .machine, .figures, .subject)' >b
  pg-bench report a b -o out.html
  [ "$(paths latency out.html)" -eq 1 ]
  [ "$(paths timeline out.html)" -eq 1 ]
  [ "$(page './/tbody/tr[2]/td' out.html | grep -cx '–')" -eq 8 ]
  pg-bench report b -o out.html
  [ "$(page './/tbody/tr/td' out.html | wc -l)" -eq 3 ]
  [ "$(page './/figure' out.html)" = "" ]
}

@test "nothing is loaded: no address, no script" {
  result 'subject="x"' >a
  pg-bench report a a >out.html
  run grep -niE 'https?:|<script|<link|src=|url\(|@import|xmlns' out.html
  [ "$status" -eq 1 ]
}

@test "what the input says is text and no markup" {
  result 'subject="</title><script>alert(1)</script>"' 'options["<b>&\""]="<i>\u001b"' 'latency.until="<u>"' 'machine["</dd>"]=1' 'time="<s>"' >'<a>&'
  result 'subject="</title><script>alert(1)</script>"' 'version="<i>"' >'b"'
  pg-bench report '<a>&' 'b"' '<a>&' >out.html
  # bash would write \uFFFD as bytes only in a locale of UTF-8
  [ "$(page './/tbody/tr/th' out.html | head -n 1)" = $'produce </title><script>alert(1)</script> · <b>&"=<i>\xef\xbf\xbd · version=0.1.0 · <a>&:1' ]
  page './/dt' out.html | grep -qx '</dd>'
  local element
  for element in script i u s; do
    run page ".//$element/.." out.html
    [ "$status" -eq 0 ]
    [ -z "$output" ]
  done
}

@test "several results in a file, empty lines, standard input" {
  { result; echo; result 'options.acks="none"'; } >a
  [ "$(pg-bench report - <a | page './/tbody/tr/th' /dev/stdin)" = "$(printf 'produce · acks=all\nproduce · acks=none')" ]
  cp a same
  [ "$(pg-bench report a - <same | page './/tbody/tr/th' /dev/stdin)" = \
    "$(printf 'produce · acks=%s · %s\n' all a none a all 'standard input' none 'standard input')" ]
}

@test "a line that is no result: exit 2, file and line, and nothing is written" {
  { result; echo '{"bench":"produce","records":1}'; } >a
  fails 2 "*'a', line 2: no result of pg-bench: \"bytes\" is missing" pg-bench report a -o out.html
  [ ! -e out.html ]
  echo kept >out.html
  result | head -c 100 >b
  fails 2 "*'b', line 1: no result of pg-bench: column *" pg-bench report b -o out.html
  [ "$(cat out.html)" = kept ]
  fails 2 "*'standard input', line 1: *an object" pg-bench report - <<<'[]'
}

@test "no result, no file, no place to write to" {
  : >empty
  result >a
  fails 2 "*there is no result*" pg-bench report empty
  fails 1 "*cannot open*missing*" pg-bench report a missing
  fails 1 "*nowhere*" pg-bench report a -o nowhere/out.html
  fails 2 "*--output*" pg-bench report a -o ''
  run pg-bench report
  [ "$status" -eq 2 ]
}

@test "the page replaces what was there, whole" {
  result >a
  head -c 1000000 /dev/zero >out.html
  pg-bench report a -o out.html
  [ "$(tail -n 1 out.html)" = "</html>" ]
  page './/h1' out.html >/dev/null
  cmp out.html <(pg-bench report a)
}
