load helper

codecs=(gzip snappy lz4 zstd)

# codecs_in TOPIC: the codecs of its batches, one per line
codecs_in() { pg-topic dump --json "$1" | jq -r 'select(.type == "batch").codec' | sort -u; }

@test "real text comes back byte for byte with every codec, and takes less room" {
  local files file codec
  real_files
  for file in "${files[@]}"; do
    cat "$file"
    [ -z "$(tail -c 1 "$file")" ] || echo
  done >all
  for codec in "${codecs[@]}"; do
    pg-produce -z "$codec" "$codec" <all
    pg-consume "$codec" | cmp - all
    pg-topic verify "$codec"
    codecs_in "$codec" | grep -x "$codec"
    [ "$(stat -c %s "$(log "$codec")")" -lt $(($(stat -c %s all) * 2 / 3)) ]
  done
}

@test "compressed records are found by offset and by time, and the last ones too" {
  local codec
  for codec in "${codecs[@]}"; do
    seq 5000 | jq -c '{value: "value \(.)", timestamp: (1732320000000 + .)}' | pg-produce --json --batch-bytes 4000 -z "$codec" "$codec"
    [ "$(pg-consume -o 4321 -n 1 "$codec")" = 'value 4322' ]
    [ "$(pg-consume -o 100:102 "$codec")" = $'value 101\nvalue 102' ]
    [ "$(pg-consume -o @1732320002500 -n 1 "$codec")" = 'value 2500' ]
    [ "$(pg-consume --last 2 "$codec")" = $'value 4999\nvalue 5000' ]
    [ "$(pg-topic dump --json --records -o 10:12 "$codec" | jq -r 'select(.type == "record").value')" = $'value 11\nvalue 12' ]
  done
}

@test "one topic may have batches of every codec, and --compression none of none" {
  local codec
  for codec in "${codecs[@]}" none; do seq 500 | pg-produce --compression "$codec" t; done
  [ "$(codecs_in t)" = $'gzip\nlz4\nnone\nsnappy\nzstd' ]
  pg-consume t | cmp - <(for _ in 1 2 3 4 5; do seq 500; done)
}

@test "compression.type of the topic wins over -z, except for producer" {
  pg-topic create zstd -c compression.type=zstd
  pg-topic create plain -c compression.type=uncompressed
  pg-topic create free -c compression.type=producer
  local topic
  for topic in zstd plain free; do
    seq 500 | pg-produce $topic
    seq 500 | pg-produce -z lz4 $topic
    pg-consume $topic | cmp - <(seq 500; seq 500)
  done
  [ "$(codecs_in zstd)" = zstd ]
  [ "$(codecs_in plain)" = none ]
  [ "$(codecs_in free)" = $'lz4\nnone' ]
  [ "$(pg-topic describe --json zstd | jq -r '.config["compression.type"]')" = zstd ]
}

@test "a batch that would not get smaller is not compressed, and none is larger than max.message.bytes" {
  head -c 1048000 /dev/urandom >noise
  local codec
  for codec in "${codecs[@]}"; do
    pg-produce -d none -z "$codec" "$codec" <noise
    pg-produce -z "$codec" "$codec" hi
    pg-consume -n 1 -f %v "$codec" | cmp - noise
    [ "$(codecs_in "$codec")" = none ]
  done
  # The limit holds for a record as it was given, so that it does not depend on what it compresses to.
  head -c 2000000 /dev/zero >zeros
  fails 7 "*the record is larger than 1048588 bytes*" pg-produce -d none -z zstd big <zeros
}

@test "unknown codecs are exit 2" {
  fails 2 "*'brotli' is not none, gzip, snappy, lz4 or zstd*" pg-produce -z brotli t x
  fails 2 "*compression.type must be producer, uncompressed, gzip, snappy, lz4 or zstd*" pg-topic create t -c compression.type=none
}
