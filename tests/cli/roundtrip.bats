load helper

@test "pg-consume A | pg-produce B keeps every byte" {
  printf 'one\n\n\ntwo\r\n\0nul\0\n\xff\xfe not utf-8\n\ttab \nlast, without newline' >input
  pg-produce a <input
  pg-consume a | pg-produce b
  { cat input; echo; } | cmp - <(pg-consume b)
  [ "$(pg-topic offsets b)" = $'b\t0\t0\t8' ]
}

# bats test_tags=any-cluster
@test "records that end with NUL, a string, or not at all" {
  printf 'a\nb\0c\0' | pg-produce -0 t
  pg-consume -0 t | cmp - <(printf 'a\nb\0c\0')
  printf 'aENDbENENDc' | pg-produce -d END u
  [ "$(pg-consume -d '|' u)" = 'a|bEN|c|' ]
  printf 'x\ny\n' | pg-produce -d none v
  pg-consume -d none v | cmp - <(printf 'x\ny\n')
  printf 'p\tq' | pg-produce -d '\t' w
  [ "$(pg-consume -d '\x2c' w)" = 'p,q,' ]
}

# bats test_tags=any-cluster
@test "files as records, whatever they hold" {
  head -c 300000 /dev/urandom >random
  printf '' >empty
  pg-produce t --file random --file empty
  pg-consume -d none -o :1 t | cmp - random
  [ "$(pg-consume -f '%S\n' t)" = $'300000\n0' ]
}

@test "--json keeps keys, null against empty, ordered headers, timestamps and partitions" {
  pg-topic create a --partitions 12
  pg-topic create b --partitions 12
  local i
  for i in {1..40}; do
    printf '{"partition":%d,"timestamp":%d,"key":"k%d","value":"v\\u00e4\\n%d","headers":[["z","1"],["a",null],["z",""]]}\n' \
      $((i % 12)) $((1700000000000 + i)) "$i" "$i"
  done >lines
  cat >>lines <<'L'
{"partition":3,"timestamp":5,"key":null,"value":""}
{"partition":3,"timestamp":5,"key":"","value":null}
{"partition":4,"timestamp":0,"key":{"base64":"/w=="},"value":{"base64":"AP8="},"headers":[["b",{"base64":"gA=="}]]}
L
  pg-produce --json a <lines
  pg-consume --json a | pg-produce --json b
  diff <(pg-consume --json a | jq -c 'del(.topic)' | sort) <(pg-consume --json b | jq -c 'del(.topic)' | sort)
  [ "$(pg-consume --json b | wc -l)" -eq 43 ]
  [ "$(pg-consume -p 4 --json b | jq -c 'select(.timestamp==0)|[.key,.value,.headers]')" = '[{"base64":"/w=="},{"base64":"AP8="},[["b",{"base64":"gA=="}]]]' ]
}

@test "real text comes back byte for byte, on one partition and on twelve" {
  local files file
  real_files
  pg-topic create keyed --partitions 12
  for file in "${files[@]}"; do
    pg-produce t <"$file"
    # every file ends its last line, as the tool will
    { cat "$file"; [ -z "$(tail -c 1 "$file")" ] || echo; } >>all
  done
  pg-consume t | cmp - all
  pg-consume t | pg-produce u
  pg-consume u | cmp - all
  awk '{ print NR % 50 ":" $0 }' all >keyed
  pg-produce -K : keyed <keyed
  local key
  for key in {0..49}; do
    cmp <(pg-consume -K : keyed | grep -a "^$key:") <(grep -a "^$key:" keyed)
  done
  [ "$(pg-consume keyed | wc -l)" -eq "$(wc -l <all)" ]
}

@test "one key has one partition, the one that Kafka's Java client would choose" {
  pg-topic create t --partitions 12
  # murmur2, sign bit cleared, modulo 12: -973932308, -790332482, 479470107
  printf '21:a\nfoobar:b\nabc:c\n' | pg-produce -K : t
  [ "$(pg-consume -f '%k %p\n' t | sort)" = "$(printf '%s\n' "21 $(((-973932308 & 0x7fffffff) % 12))" \
    "abc $(((479470107 & 0x7fffffff) % 12))" "foobar $(((-790332482 & 0x7fffffff) % 12))")" ]
}
