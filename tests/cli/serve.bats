#!/usr/bin/env bats
# pg-schema serve: a process that answers HTTP, begins and ends. What it answers is a table in tests/unit/schema/rest_api_test.cc.
# shellcheck disable=SC2030,SC2031,SC2086,SC2154 # each test has a server of its own; no process, no word; bats sets stderr
load helper

teardown() { kill -9 ${server-} ${first-} 2>/dev/null || true; }

# serve [OPTION...]: starts one on a free port; sets server and url
serve() {
  rm -f url
  pg-schema serve --listen 127.0.0.1:0 "$@" >url &
  server=$!
  until_true test -s url
  url=$(cat url)
}

# stops [SIGNAL]: asks it to end, and it ends with 0
stops() {
  kill -s "${1-TERM}" "$server"
  ends_with 0 "$server"
  server=
}

# ask METHOD PATH [BODY [HEADER:VALUE...]]: prints the status and the body
ask() { /usr/bin/python3 "$BATS_TEST_DIRNAME/http_client.py" ask "$url" "$@"; }
# raw: sends what http_client.py says under that name; prints the first line of the answer, or "closed"
raw() { /usr/bin/python3 "$BATS_TEST_DIRNAME/http_client.py" "$@" "$url"; }

@test "what is registered by HTTP is there for pg-schema, and the other way round" {
  serve
  [ "$(ask GET /)" = "200 {}" ]
  [ "$(ask POST /subjects/a%2Fb/versions '{"schema":"\"string\""}')" = '200 {"id":1}' ]
  [ "$(pg-schema get a/b)" = '"string"' ]
  pg-schema register s - --type json <<<'{"type":"object"}'
  [ "$(ask GET /subjects)" = '200 ["a/b","s"]' ]
  [ "$(ask GET /schemas/ids/2)" = '200 {"schemaType":"JSON","schema":"{\"type\":\"object\"}"}' ]
  [ "$(ask GET /subjects/s/versions/latest/schema)" = '200 {"type":"object"}' ]
  [[ $(ask DELETE /subjects/nobody) == '404 {"error_code":40401,'* ]]
  stops
}

@test "the answers have Confluent's media type" {
  serve
  [ "$(raw type)" = application/vnd.schemaregistry.v1+json ]
  stops
}

@test "a stop signal ends it with 0, also while clients are connected and idle" {
  serve
  raw hold 3 &
  local client=$!
  until_true test -e held
  stops INT
  ends_with 0 "$client"
  serve
  stops TERM
}

@test "a port that is taken, an address that is none" {
  serve
  fails 1 "pg-schema serve: cannot listen on 127.0.0.1 port ${url##*:}: Address already in use" pg-schema serve --listen "${url#http://}"
  fails 2 "*'8081' is not HOST:PORT" pg-schema serve --listen 8081
  fails 2 "*'::1:8081' is not HOST:PORT" pg-schema serve --listen ::1:8081
  fails 2 "*'h:65536' is not HOST:PORT" pg-schema serve --listen h:65536
  fails 2 "*is not strict or lenient" pg-schema serve --policy none
  stops
  # The port is free at once.
  pg-schema serve --json --listen "${url#http://}" >url.json &
  server=$!
  until_true test -s url.json
  [ "$(jq -r .url url.json)" = "$url" ]
  stops
}

@test "--policy decides about open content models" {
  pg-schema register s - --type json <<<'{"type":"object"}'
  local next='{"schema":"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}","schemaType":"JSON"}'
  serve
  [[ $(ask POST /subjects/s/versions "$next") == '409 {"error_code":409,'*PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL* ]]
  stops
  serve --policy lenient
  [ "$(ask POST /subjects/s/versions "$next")" = '200 {"id":2}' ]
  stops
}

@test "what is no request, or too large, is refused, and the next one is answered" {
  serve
  [[ $(ask POST /subjects/s/versions '{"schema":') == '400 {"error_code":400,'* ]]
  [[ $(ask POST /subjects/s/versions '{"schema":"x"}') == '422 {"error_code":42201,'* ]]
  [[ $(ask POST /subjects/s/versions '{"schema":"\"int\""}' content-type:text/plain) == '415 {"error_code":415,'* ]]
  [[ $(ask POST /subjects/s/versions '{"schema":"\"int\""}' origin:http://example.org) == '403 {"error_code":403,'* ]]
  [[ $(ask DELETE /subjects/s '' origin:http://example.org) == '403 {"error_code":403,'* ]]
  [[ $(ask DELETE /subjects/s x) == '400 {"error_code":400,'* ]]
  [[ $(ask OPTIONS /subjects/s) == '405 {"error_code":405,'* ]]
  [[ $(ask GET "/$(printf 'a%.0s' {1..3000})") == '414 {"error_code":414,'* ]]
  [ "$(raw many_headers)" = "HTTP/1.1 400 Bad Request" ]
  [ "$(raw long_header)" = "HTTP/1.1 400 Bad Request" ]
  [ "$(raw long_path)" = "HTTP/1.1 414 URI Too Long" ]
  [ "$(raw no_http)" = "HTTP/1.1 400 Bad Request" ]
  [ "$(raw no_length)" = "HTTP/1.1 411 Length Required" ]
  [ "$(raw large_body)" = "HTTP/1.1 413 Payload Too Large" ]
  [ "$(raw huge_length)" = "HTTP/1.1 413 Payload Too Large" ]
  [ "$(raw endless_chunks)" = "HTTP/1.1 413 Payload Too Large" ]
  [ "$(raw gzip_bomb)" = "HTTP/1.1 413 Payload Too Large" ]
  [ "$(raw wrong_chunk)" = "HTTP/1.1 400 Bad Request" ]
  [ "$(ask GET /subjects)" = "200 []" ]
  [ ! -e "$PG_HOME/topics/_schemas" ]
  stops
}

@test "bodies in chunks and compressed bodies are read" {
  serve
  [ "$(raw chunks)" = "HTTP/1.1 200 OK" ]
  [ "$(raw gzip)" = "HTTP/1.1 200 OK" ]
  [ "$(pg-schema list)" = $'chunks\ngzip' ]
  stops
}

@test "idle connections make room for others" {
  serve
  raw hold 40 &
  local client=$!
  until_true test -e held
  [ "$(ask GET /subjects)" = "200 []" ]
  stops
  ends_with 0 "$client"
}

@test "two servers and pg-schema register at once: one id each" {
  serve
  first=$server
  local first_url=$url
  serve
  raw register 60 0 >ids.0 &
  local a=$!
  url=$first_url raw register 60 30 >ids.1 &
  local b=$!
  local i
  for ((i = 60; i < 80; i++)); do
    printf '{"type":"object","title":"%s"}' "$i" | pg-schema register "s$i" - --type json
  done >ids.2
  ends_with 0 "$a"
  ends_with 0 "$b"
  stops
  server=$first
  stops
  # 0 to 59 by one, 30 to 89 by the other
  [ "$(cat ids.? | sort -n | uniq -c | awk '{ print $1 }' | sort -n | uniq -c | tr -s ' ')" = $' 40 1\n 50 2' ]
  [ "$(pg-schema list | wc -l)" -eq 90 ]
}

@test "what else pg-schema does loads neither cpp-httplib nor OpenSSL" {
  [ -z "$TEST_SANITIZER" ] || skip "sanitizers come as shared libraries"
  run ldd "$(command -v pg-schema)"
  [[ $output == *"not a dynamic executable"* ]]
}
