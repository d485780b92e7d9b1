#include "tests/support/test_replica.h"

#include <fmt/format.h>

#include "core/log/log_recovery.h"

namespace pg {

std::string letters_of(PartitionLog& log, std::optional<Offset> from, std::optional<Offset> end) {
  const LogPosition position = log.current_state()->position();
  LogReader reader(log, from.value_or(position.log_start));
  Decompressor decompressor;
  std::string letters;
  const auto read = [&]() -> Result<> {
    for (;;) {
      PG_ASSIGN(const auto batch, reader.next(end.value_or(position.log_end)));
      if (!batch) return {};
      PG_ASSIGN(auto cursor, RecordCursor::begin(batch->bytes, batch->header, decompressor));
      for (RecordView record;;) {
        PG_ASSIGN(const bool more, cursor.next(record));
        if (!more) break;
        const char letter = record.value.value_or("?").front();
        letters += epoch_of(letter) == batch->header.leader_epoch ? letter : '?';
      }
    }
  };
  const auto done = read();
  return done ? letters : letters + "!" + done.error().message();
}

TestReplica::TestReplica(TestEnv& test_env, int32_t id, const LogConfig& config)
    : env(test_env),
      broker(id),
      log_directory_(fmt::format("{}/{}", test_env.root(), id)),
      id_(test_env.random.uuid()),
      config_(config) {
  must(env.files.make_directories(log_directory_));
  must(PartitionLog::create(env.env(), log_directory_, {"t", PartitionId(0)}, id_, {.replicated = true}));
  reopen();
}

std::unique_ptr<PartitionLog> TestReplica::open(Access access) const {
  PartitionLog::Spec spec{log_directory_, {"t", PartitionId(0)}, id_, config_, access};
  spec.replicated = true;
  spec.is_broker_alive = [this] { return broker_lives; };
  return must(PartitionLog::open(env.env(), std::move(spec), env.soon()));
}

void TestReplica::reopen() {
  close();
  log_ = open();
}

Result<> TestReplica::try_lead(char letter, const std::vector<BrokerId>& in_sync, int32_t min_in_sync) {
  return log_->lead({epoch_of(letter), broker, {BrokerId(1), BrokerId(2), BrokerId(3)}, in_sync, min_in_sync},
                    env.soon());
}

void TestReplica::lead(char letter, const std::vector<BrokerId>& in_sync, int32_t min_in_sync) {
  must(try_lead(letter, in_sync, min_in_sync));
}

Result<Appended> TestReplica::try_write(char letter) { return try_append(*log_, {std::string(1, letter)}); }

void TestReplica::write(std::string_view letters) {
  for (const char letter : letters) must(try_write(letter));
}

Result<> TestReplica::try_receive(char letter) {
  TestBatch batch({std::string(1, letter)});
  const MutableBytes bytes = batch.bytes();
  stamp_batch(bytes, position().log_end, epoch_of(letter));
  return log_->append_replicated(bytes, LeaderEpoch(page().leader_epoch), env.soon());
}

void TestReplica::receive(std::string_view letters) {
  for (const char letter : letters) must(try_receive(letter));
}

void TestReplica::fill(std::string_view letters) {
  follow(letters.back());
  receive(letters);
}

std::string TestReplica::epochs() const {
  std::string text;
  for (const auto& [epoch, start] : must(read_epoch_history(env.env(), directory()))) {
    text += fmt::format("{}{}@{}", text.empty() ? "" : " ", epoch.value, start.value);
  }
  return text;
}

Offset TestReplica::recovery_point() const {
  return must(LogDirectory(env.env(), log_directory_).recovery_point({"t", PartitionId(0)})).value_or(Offset(-1));
}

std::vector<Offset> TestReplica::segments() const { return must(list_segments(env.files, directory())); }

std::string TestReplica::directory() const { return names::partition_directory(log_directory_, {"t", PartitionId(0)}); }

}  // namespace pg
