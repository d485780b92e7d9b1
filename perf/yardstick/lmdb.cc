// lmdb in FILE: standard input's lines into a database in FILE, by their number, a thousand to a transaction, without
// waiting for the disk. lmdb out FILE: all values in order, as lines.
#include <lmdb.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

void check(int code) {
  if (code == 0) return;
  std::fprintf(stderr, "lmdb: %s\n", mdb_strerror(code));
  std::exit(1);
}

constexpr uint64_t kLinesInTransaction = 1000;

void put_lines(MDB_env* env) {
  MDB_txn* transaction = nullptr;
  MDB_dbi table;
  std::string line;
  uint64_t number = 0;
  check(mdb_txn_begin(env, nullptr, 0, &transaction));
  check(mdb_dbi_open(transaction, nullptr, MDB_CREATE | MDB_INTEGERKEY, &table));
  for (; std::getline(std::cin, line); ++number) {
    if (number > 0 && number % kLinesInTransaction == 0) {
      check(mdb_txn_commit(transaction));
      check(mdb_txn_begin(env, nullptr, 0, &transaction));
    }
    MDB_val key{sizeof number, &number}, value{line.size(), line.data()};
    check(mdb_put(transaction, table, &key, &value, MDB_APPEND));
  }
  check(mdb_txn_commit(transaction));
}

void print_lines(MDB_env* env) {
  MDB_txn* transaction = nullptr;
  MDB_dbi table;
  MDB_cursor* cursor = nullptr;
  check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &transaction));
  check(mdb_dbi_open(transaction, nullptr, MDB_INTEGERKEY, &table));
  check(mdb_cursor_open(transaction, table, &cursor));
  MDB_val key, value;
  while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
    std::fwrite(value.mv_data, 1, value.mv_size, stdout);
    std::putchar('\n');
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ios::sync_with_stdio(false);
  MDB_env* env = nullptr;
  check(mdb_env_create(&env));
  check(mdb_env_set_mapsize(env, size_t{16} << 30));
  check(mdb_env_open(env, argv[2], MDB_NOSUBDIR | MDB_NOSYNC, 0644));
  std::string(argv[1]) == "in" ? put_lines(env) : print_lines(env);
  mdb_env_close(env);
  return 0;
}
