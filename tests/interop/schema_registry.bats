#!/usr/bin/env bats
# pg-schema serve, and a client that was written for Confluent's Schema Registry: @kafkajs/confluent-schema-registry, as npm has it.
# Skipped where npm is missing or cannot fetch it.

setup_file() {
  export NODE_PATH=$BATS_FILE_TMPDIR/node_modules NO_CLIENT=
  if ! command -v npm >/dev/null; then
    NO_CLIENT="npm is not installed"
  elif ! npm install --prefix "$BATS_FILE_TMPDIR" --ignore-scripts --no-audit --no-fund --fetch-retries 1 --fetch-timeout 30000 \
    @kafkajs/confluent-schema-registry@3.9.0 >"$BATS_FILE_TMPDIR/npm.log" 2>&1; then
    NO_CLIENT="npm cannot fetch @kafkajs/confluent-schema-registry"
    cat "$BATS_FILE_TMPDIR/npm.log"
  fi
}

setup() {
  [ -z "$NO_CLIENT" ] || skip "$NO_CLIENT"
  PATH=${PG_BIN:?PG_BIN must name the folder of the tools}:$PATH
  export PG_HOME=$BATS_TEST_TMPDIR/home
  cd "$BATS_TEST_TMPDIR" || return
  mkfifo address
  pg-schema serve --listen 127.0.0.1:0 >address &
  server=$!
  read -r url <address
}

teardown() {
  [ -n "${server-}" ] || return 0
  kill "$server"
  wait "$server" # ends with 0
}

client() { node "$BATS_TEST_DIRNAME/kafkajs.js" "$url" "$@"; }

@test "kafkajs registers Avro, JSON Schema and Protobuf, and finds them" {
  [ "$(client register)" = $'avro 1\njson 2\nprotobuf 3' ]
  [ "$(pg-schema list)" = $'avro-value\njson-value\nprotobuf-value\nshop.Book' ]
  [ "$(pg-schema level avro-value)" = BACKWARD ]
  client look
}

@test "kafkajs is told what is incompatible, and about levels" {
  client register
  client refused
}

@test "pg-consume --schema reads what kafkajs encoded" {
  client register
  client encode | while read -r topic record; do
    pg-produce --json "$topic" <<<"$record"
  done
  [ "$(pg-consume --schema avro)" = '{"title":"café","price":12.5,"tag":{"string":"a"}}' ]
  [ "$(pg-consume --schema json)" = '{"title":"café","price":12.5}' ]
  [ "$(pg-consume --schema protobuf)" = '{"title":"café","price":12.5,"pages":[1,2,300]}' ]
}

@test "kafkajs decodes what pg-produce --schema wrote" {
  # Not Protobuf: it does not know the message indexes of the wire format.
  client register
  pg-produce --schema avro-value avro <<<'{"title":"tea","price":3,"tag":null}'
  pg-produce --schema json-value json <<<'{"title":"tea","price":3}'
  pg-consume --json avro json | jq -r '.value | .base64? // (. | @base64)' | sort >written
  [ "$(client decode <written)" = $'{"title":"tea","price":3,"tag":null}\n{"title":"tea","price":3}' ]
}
