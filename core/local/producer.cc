#include "core/local/producer.h"

#include <fmt/format.h>

#include "core/local/named_input.h"
#include "core/store/leader.h"
#include "core/store/log_table.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/os/signals.h"

namespace pg {
namespace {

// A hand-over takes as long as appending some ten kilobytes.
constexpr size_t kWorthAThreadBytes = 256 << 10;

// The error for records that are in the log although a later step failed. A second try would write them again, so the
// error must not look as if nothing was done.
tl::unexpected<Error> only_written(Error error, const char* what = "written, but not flushed") {
  if (error.code == Errc::timed_out || error.code == Errc::busy) error.code = Errc::not_durable;
  error.what = fmt::format("{}: {}", what, error.what);
  return tl::unexpected(std::move(error));
}

}  // namespace

// Flushes the logs that were written to, and reports their batches: at once, or in the background and when the producer
// closes.
class LocalProducer::Flusher {
 public:
  // `interval`: how long written records may stay unflushed; 0: as long as it takes to flush them.
  Flusher(const ProducerOptions& options, Duration interval, Clock& clock)
      : options_(options), interval_(interval), clock_(clock) {}
  ~Flusher() { stop(); }

  void wrote(PartitionLog& log, BatchReport report, Offset end) {
    const std::lock_guard guard(mutex_);
    const bool was_idle = dirty_.empty();
    Dirty& dirty = dirty_[&log];
    if (options_.report) dirty.reports.push_back({std::move(report), end});
    if (interval_ == Duration(0)) return;
    if (!thread_.joinable()) {
      start();
    } else if (was_idle) {
      changed_.notify_one();  // otherwise it has its date already, and a wake-up would only cost
    }
  }

  // What others wrote, and this producer relies on.
  void relied_on(PartitionLog& log) {
    const std::lock_guard guard(mutex_);
    dirty_[&log];
  }

  // With no interval: flushes what was written since the last call, here and now.
  Result<> flush_if_due() { return interval_ == Duration(0) ? flush_all() : Result<>(); }

  // The first flush that failed, which every later send and finish() repeat.
  Result<> check() {
    const std::lock_guard guard(mutex_);
    return error_ ? Result<>(tl::unexpected(*error_)) : Result<>();
  }

  // Stops the thread and flushes what is left. Returns how far each log is on stable storage.
  Result<OffsetCheckpoint> finish() {
    stop();
    PG_CHECK(check());
    PG_CHECK(flush_all());
    return flushed_;
  }

 private:
  void start() {
    // It inherits the mask: a terminal's stop must find a thread that holds no lock.
    const NoJobStop no_job_stop;
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
      // No thread to be had: tried again at the next write, and finish() flushes in any case.
    }
  }

  struct Pending {
    BatchReport report;
    Offset end;
  };
  struct Dirty {
    std::vector<Pending> reports;
  };

  void stop() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void run() {
    std::unique_lock guard(mutex_);
    while (!stopping_) {
      if (dirty_.empty()) {
        changed_.wait(guard);
        continue;
      }
      // Half the promised interval: the flush itself takes time too.
      changed_.wait_for(guard, interval_ / 2, [this] { return stopping_; });
      if (stopping_) return;
      guard.unlock();
      const auto done = flush_all();
      guard.lock();
      if (!done) return;
    }
  }

  Result<> flush_all() {
    auto done = flush_dirty();
    if (done) return done;
    const std::lock_guard guard(mutex_);
    error_ = done.error();
    return done;
  }

  Result<> flush_dirty() {
    std::map<PartitionLog*, Dirty> taken;
    {
      const std::lock_guard guard(mutex_);
      taken.swap(dirty_);
    }
    for (auto& [log, dirty] : taken) {
      const auto done = log->flush(clock_.after(options_.timeout));
      if (!done) return only_written(done.error());
      const Offset flushed = *done;
      flushed_[log->spec().partition] = flushed;
      for (const auto& pending : dirty.reports) {
        PG_ASSERT(pending.end <= flushed);
        PG_CHECK(options_.report(pending.report));
      }
    }
    return {};
  }

  const ProducerOptions& options_;
  const Duration interval_;
  Clock& clock_;
  std::mutex mutex_;  // guards dirty_, error_, stopping_
  std::condition_variable changed_;
  std::map<PartitionLog*, Dirty> dirty_;
  std::optional<Error> error_;
  bool stopping_ = false;
  OffsetCheckpoint flushed_;  // the thread's, then finish()'s
  std::thread thread_;
};

Result<std::unique_ptr<LocalProducer>> LocalProducer::open(Home& home, const std::string& name,
                                                           ProducerOptions options) {
  if (is_table(name))
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is a table of this program: records are not written to it", name));
  if (options.name) PG_CHECK(ProducerIdentity::check_name(*options.name));
  auto topic = home.describe_topic(name);
  const bool to_be_made = !topic && topic.error().code == Errc::not_found && options.create_topic;
  if (to_be_made) {
    topic = TopicMetadata();
    topic->name = name;
  }
  PG_CHECK(topic);
  std::unique_ptr<LocalProducer> producer(new LocalProducer(home, std::move(*topic), std::move(options)));
  PG_CHECK(producer->use_config());
  if (!to_be_made) PG_CHECK(producer->begin());
  return producer;
}

Result<> LocalProducer::use_config() {
  PG_ASSIGN(const LogConfig config, to_log_config(topic_.config));
  max_message_bytes_ = config.max_message_bytes;
  compacted_ = config.cleanup_compact;
  set_flushing(config);
  batch_bytes_ = std::min(options_.batch_bytes, static_cast<size_t>(config.max_message_bytes));
  const Codec codec = config.compression.value_or(options_.codec);
  if (codec != Codec::none) compressor_ = std::make_unique<Compressor>(codec);
  return {};
}

// One partition is opened now, so that a topic that cannot be written to is found out before any input is read.
Result<> LocalProducer::begin() {
  PG_CHECK(open_slot(PartitionId(0)));
  return options_.name ? open_input() : Result<>();
}

// Called before the first record that the topic can take. Another producer may have made the topic meanwhile.
Result<> LocalProducer::make_topic(const Record* first, std::optional<PartitionId> wanted) {
  auto topic = home_.describe_topic(topic_.name);
  if (!topic && topic.error().code == Errc::not_found) {
    if (first != nullptr) PG_CHECK(check_first(*first, wanted));
    topic = home_.create_topic(topic_.name, 1, {}, deadline());
    if (topic && options_.topic_made) options_.topic_made(topic->name);
    if (!topic && topic.error().code == Errc::already_exists)
      topic = home_.describe_topic(topic_.name).or_else([&](const Error&) { return topic; });
  }
  PG_CHECK(topic);
  topic_ = std::move(*topic);
  slots_.resize(topic_.partitions.size());
  partitioner_.emplace(options_.partitioner, partition_count(), home_.env().random);
  PG_CHECK(use_config());
  return begin();
}

// Whether a topic that is made for the record could take it.
Result<> LocalProducer::check_first(const Record& record, std::optional<PartitionId> wanted) const {
  if (wanted && *wanted != PartitionId(0))
    return fail(Errc::not_found,
                fmt::format("topic '{}' has no partition {}: it would be made with 1", topic_.name, wanted->value));
  const size_t bytes = record.key.value_or("").size() + record.value.value_or("").size();
  if (std::cmp_less_equal(bytes, max_message_bytes_) &&
      BatchBuilder().add(record, record.timestamp_ms.value_or(0), static_cast<size_t>(max_message_bytes_)))
    return {};
  return too_large();
}

tl::unexpected<Error> LocalProducer::too_large() const {
  return fail(Errc::limit, fmt::format("the record is larger than max.message.bytes={} of topic '{}' allows",
                                       max_message_bytes_, topic_.name));
}

LocalProducer::LocalProducer(Home& home, TopicMetadata topic, ProducerOptions options)
    : home_(home),
      topic_(std::move(topic)),
      options_(std::move(options)),
      batch_bytes_(options_.batch_bytes),
      max_message_bytes_(kMaxMessageBytesDefault),
      partitioner_(std::in_place, options_.partitioner, std::max(static_cast<int32_t>(topic_.partitions.size()), 1),
                   home.env().random),
      slots_(topic_.partitions.size()),
      producer_id_(static_cast<int64_t>(home.env().random.next() >> 2)) {}

LocalProducer::~LocalProducer() = default;

// A topic's flush.ms asks for more than `never`, and perhaps sooner than `exit`.
void LocalProducer::set_flushing(const LogConfig& config) {
  const Duration asked = options_.flush == FlushMode::batch  ? Duration(0)
                         : options_.flush == FlushMode::exit ? kBackgroundFlushInterval
                                                             : Duration::max();
  const bool has_limit = config.flush_ms < Duration::max() / std::chrono::milliseconds(1);
  const Duration limit = has_limit ? std::chrono::milliseconds(config.flush_ms) : Duration::max();
  flush_interval_ = std::min(asked, limit);
  flusher_ = std::make_unique<Flusher>(options_, flush_interval_, home_.env().clock);
}

Deadline LocalProducer::deadline() const { return home_.env().clock.after(options_.timeout); }

Result<> LocalProducer::open_slot(PartitionId partition) {
  if (!topic_.has(partition)) {
    return fail(Errc::not_found,
                fmt::format("topic '{}' has no partition {}: it has {}", topic_.name, partition.value, slots_.size()));
  }
  Slot& slot = slots_[static_cast<size_t>(partition.value)];
  if (topic_.partitions[static_cast<size_t>(partition.value)].is_replicated()) {
    slot.writer = make_writer(partition);
    PG_CHECK(slot.writer->open());
    // A log that is open, and that nobody looks at, would keep other processes from rebuilding its state.
    if (!options_.name) return {};
  }
  PG_ASSIGN(slot.log, open_committed(home_, topic_, partition, deadline()));
  return {};
}

std::unique_ptr<ReplicatedWriter> LocalProducer::make_writer(PartitionId partition) {
  const auto report = [this, partition](Offset base_offset, int32_t record_count) -> Result<> {
    if (!options_.report) return {};
    const char* const state = must_flush() ? "flushed" : options_.acks == Acks::all ? "committed" : "written";
    return options_.report({{topic_.name, partition}, base_offset, record_count, state});
  };
  return std::make_unique<ReplicatedWriter>(home_, topic_, partition,
                                            ReplicatedWriter::Options{options_.acks, must_flush(), options_.timeout},
                                            producer_id_, report);
}

// Batches are done in their own time; who waits for input looks after them now and then.
Result<> LocalProducer::settle_replicated(bool flushed) {
  for (Slot& slot : slots_) {
    if (!slot.writer) continue;
    PG_CHECK(noted(slot.writer->settle(flushed)));
    // What was opened to read is let go when its state was replaced.
    if (slot.log) (void)slot.log->state(home_.env().clock.now());
  }
  return {};
}

Result<> LocalProducer::flush_if_due(Slot& slot) {
  if (!slot.writer) return flusher_->flush_if_due();
  return flush_interval_ == Duration(0) ? noted(slot.writer->settle(true)) : Result<>();
}

// Remembers a wait for replicas that took the whole time-out: close() does not begin another one.
Result<> LocalProducer::noted(Result<> waited) {
  waited_out_.reset();
  if (!waited && waited.error().code == Errc::timed_out) waited_out_ = waited.error();
  return waited;
}

Result<> LocalProducer::send(const Record& record, std::optional<PartitionId> wanted) {
  if (compacted_ && !record.key) [[unlikely]] {
    return fail(Errc::invalid_argument, fmt::format("topic '{}' is compacted: a record needs a key", topic_.name));
  }
  const int64_t timestamp_ms = record.timestamp_ms ? *record.timestamp_ms : home_.env().clock.wall_ms();
  const PartitionId partition = wanted   ? *wanted
                                : input_ ? input_->place(record.key, *partitioner_)
                                         : partitioner_->choose(record.key);
  if (!topic_.has(partition) || !slots_[static_cast<size_t>(partition.value)].is_open()) [[unlikely]] {
    if (!is_made()) {
      PG_CHECK(make_topic(&record, wanted));
      return send(record, wanted);
    }
    PG_CHECK(open_slot(partition));
  }
  Slot& slot = slots_[static_cast<size_t>(partition.value)];
  if (input_) {
    PG_ASSIGN(const bool is_there, take_named(record, slot, partition));
    if (is_there) return {};
  }
  if (slot.batch.add(record, timestamp_ms, batch_bytes_)) [[likely]] {
    if (slot.batch.record_count() == 1) slot.first_added = home_.env().clock.now();
    return {};
  }
  // It begins the next batch, which may be larger than others if it is the only record in it.
  if (!slot.batch.empty()) {
    PG_CHECK(send_batch(slot));
    partitioner_->batch_sent(partition);
  }
  if (!slot.batch.add(record, timestamp_ms, static_cast<size_t>(max_message_bytes_))) {
    if (input_) input_->refuse(partition);
    return too_large();
  }
  slot.first_added = home_.env().clock.now();
  return {};
}

Result<> LocalProducer::open_input() {
  for (size_t p = 0; p < slots_.size(); ++p) {
    if (!slots_[p].log) PG_CHECK(open_slot(PartitionId(static_cast<int32_t>(p))));
  }
  PG_ASSIGN(auto identity, ProducerIdentity::claim(home_, *options_.name, topic_, logs(), deadline()));
  if (!identity->is_new()) PG_CHECK(settle_earlier_runs());
  PG_ASSIGN(input_, NamedInput::open(std::move(identity), logs(), deadline()));
  return {};
}

std::vector<PartitionLog*> LocalProducer::logs() const {
  std::vector<PartitionLog*> logs;
  for (const Slot& slot : slots_) logs.push_back(slot.log.get());
  return logs;
}

// Earlier runs of a named producer write no more. What they left must be where acks want it before it is counted, and
// the log at hand must have it: an election may have come since it was opened, or take back what is not committed.
Result<> LocalProducer::settle_earlier_runs() {
  for (Slot& slot : slots_) {
    if (!slot.writer) continue;
    PG_CHECK(slot.writer->rely_on_log());
    const PartitionId partition = slot.writer->partition();
    slot.log.reset();
    PG_ASSIGN(slot.log, open_committed(home_, topic_, partition, deadline()));
  }
  return {};
}

// True: the record is in the topic already. When that was the last one that had to be compared, what was held back
// goes.
Result<bool> LocalProducer::take_named(const Record& record, Slot& slot, PartitionId partition) {
  const bool was_comparing = input_->comparing();
  PG_ASSIGN(const bool is_there, input_->take(record, partition));
  if (is_there && was_comparing && !input_->comparing() && held_bytes_ > 0) PG_CHECK(send_batches());
  if (!is_there && !slot.batch.empty() && input_->begins_epoch(partition)) PG_CHECK(send_batch(slot));
  return is_there;
}

int64_t LocalProducer::records_done() const { return records_written_ + (input_ ? input_->skipped() : 0); }

std::optional<pilgrimage::InputProgress> LocalProducer::input() const {
  if (!input_) return std::nullopt;
  return pilgrimage::InputProgress{input_->skipped(), input_->gone(), input_->missing()};
}

Result<> LocalProducer::hold_batch(Slot& slot) {
  held_bytes_ += slot.batch.size_bytes();
  if (held_bytes_ > options_.held_bytes_max) {
    return fail(Errc::limit,
                "too many new records before those that are there already: cannot hold them back any longer");
  }
  slot.held.push_back(std::exchange(slot.batch, {}));
  return {};
}

// What was held back is never sent if the input ended before all that is there was compared with it.
Result<> LocalProducer::end_input(bool whole_input) {
  if (!input_) return {};
  if (input_->comparing()) {
    for (Slot& slot : slots_) {
      slot.held.clear();
      slot.batch.clear();
    }
  }
  for (Slot& slot : slots_) {
    if (slot.writer || !must_flush()) continue;  // with a writer it was settled before it was counted
    if (input_->has_skipped(slot.log->spec().partition.partition)) flusher_->relied_on(*slot.log);
  }
  return whole_input ? input_->check_end() : Result<>();
}

Result<> LocalProducer::send_batch(Slot& slot) {
  PG_CHECK(settle_background());
  if (is_worth_a_thread(slot)) {
    std::swap(slot.batch, sending_);
    sending_slot_ = &slot;
    no_job_stop_.emplace();
    background_.begin([this] { return append_records(*sending_slot_, sending_); });
    return {};
  }
  PG_CHECK(append_batch(slot));
  return flush_if_due(slot);
}

// With a name or with replicas more is done with a batch than to append it, and a flush for each makes the next one
// wait anyway.
bool LocalProducer::is_worth_a_thread(const Slot& slot) const {
  return slot.batch.size_bytes() >= kWorthAThreadBytes && !input_ && !slot.writer && flush_interval_ != Duration(0);
}

// What was gathered behind a batch that could not be appended is dropped: nothing goes behind a gap.
Result<> LocalProducer::settle_background() {
  if (sending_slot_ == nullptr) return {};
  auto done = background_.wait();
  if (!done) sending_slot_->batch.clear();
  sending_slot_ = nullptr;
  no_job_stop_.reset();
  return done;
}

Result<> LocalProducer::append_batch(Slot& slot) {
  if (!input_) return append_records(slot, slot.batch);
  if (input_->comparing()) return hold_batch(slot);
  for (BatchBuilder& batch : std::exchange(slot.held, {})) PG_CHECK(append_records(slot, batch));
  return slot.batch.empty() ? Result<>() : append_records(slot, slot.batch);
}

Result<> LocalProducer::append_replicated(Slot& slot, BatchBuilder& batch) {
  const int32_t count = batch.record_count();
  const PartitionId partition = slot.writer->partition();
  const ProducerStamp stamp = input_ ? input_->next_stamp(partition) : slot.writer->next_stamp();
  const int64_t sent_before = slot.writer->records_sent();
  const auto appended = slot.writer->append(batch.finish(compressor_.get(), stamp), count);
  batch.clear();
  // The batch may be in the log although append() failed when it waited for earlier ones.
  if (slot.writer->records_sent() > sent_before) {
    if (input_) input_->appended(partition, count);
    records_written_ += count;
  }
  return noted(appended.map([](Offset) {}));
}

Result<> LocalProducer::append_records(Slot& slot, BatchBuilder& batch) {
  if (slot.writer) return append_replicated(slot, batch);
  PG_CHECK(flusher_->check());
  const int32_t count = batch.record_count();
  const TopicPartition& partition = slot.log->spec().partition;
  if (slot.failed) return tl::unexpected(*slot.failed);
  const ProducerStamp stamp = input_ ? input_->next_stamp(partition.partition) : ProducerStamp();
  const auto appended = slot.log->append(batch.finish(compressor_.get(), stamp), deadline());
  batch.clear();
  if (!appended && input_) slot.failed = appended.error();
  PG_CHECK(appended);
  if (input_) input_->appended(partition.partition, count);
  records_written_ += count;
  if (appended->not_flushed) return only_written(*appended->not_flushed);
  BatchReport report{partition, appended->base_offset, count, ""};
  if (must_flush()) {
    report.state = "flushed";
    flusher_->wrote(*slot.log, std::move(report), appended->end_offset);
  } else if (options_.report) {
    // With one replica a record is committed as soon as it is written.
    report.state = options_.acks == Acks::all ? "committed" : "written";
    PG_CHECK(options_.report(report));
  }
  return {};
}

Result<> LocalProducer::send_batches() {
  const auto settled = settle_background();
  for (size_t p = 0; p < slots_.size(); ++p) {
    if (slots_[p].batch.empty() && slots_[p].held.empty()) {
      // Lets go of a state page that was replaced or no longer fits its files: while this process has it mapped, no
      // process can make a new one.
      if (slots_[p].log && !slots_[p].writer) (void)slots_[p].log->state(home_.env().clock.now());
      continue;
    }
    PG_CHECK(append_batch(slots_[p]));
    partitioner_->batch_sent(PartitionId(static_cast<int32_t>(p)));
  }
  PG_CHECK(settled);
  PG_CHECK(flusher_->flush_if_due());
  return settle_replicated(flush_interval_ == Duration(0));
}

std::optional<Deadline> LocalProducer::linger_deadline() const {
  std::optional<Deadline> earliest;
  if (input_ && input_->comparing()) return earliest;
  if (sending_slot_ != nullptr) return home_.env().clock.now();
  for (const Slot& slot : slots_) {
    if (slot.writer) {
      const Duration look = slot.writer->has_open() ? kSleepPollInterval : kBackgroundFlushInterval;
      earliest = std::min(earliest.value_or(kNoDeadline), home_.env().clock.after(look));
    }
    if (slot.batch.empty() && slot.log && !slot.writer) {
      earliest = std::min(earliest.value_or(kNoDeadline), home_.env().clock.after(kBackgroundFlushInterval));
    }
    if (slot.batch.empty()) continue;
    const Deadline due = slot.first_added + options_.linger;
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

Result<> LocalProducer::close(bool whole_input) {
  if (!is_made() && !whole_input) return {};          // no record was accepted
  if (!is_made()) PG_CHECK(make_topic(nullptr, {}));  // an empty input is whole, too
  const auto ended = end_input(whole_input);
  auto sent = waited_out_ ? Result<>(tl::unexpected(*waited_out_)) : send_batches();
  if (sent) sent = settle_replicated(true);
  const auto flushed = flusher_->finish();
  PG_CHECK(ended);
  PG_CHECK(sent);
  PG_CHECK(flushed);
  const auto noted = note_recovery_points(*flushed);
  if (!noted && noted.error().code == Errc::timed_out)
    return only_written(noted.error(), "written and flushed, but the recovery point is not stored");
  PG_CHECK(noted);
  return input_ && must_flush() ? input_->save(deadline()) : Result<>();
}

Result<> LocalProducer::note_recovery_points(const OffsetCheckpoint& flushed) {
  if (flushed.empty()) return {};
  // Partitions of one topic may lie in several log directories, one for each leader.
  std::map<std::string, OffsetCheckpoint> by_directory;
  std::map<TopicPartition, std::shared_ptr<PartitionState>> states;
  for (const auto& [partition, offset] : flushed) {
    PartitionLog& log = *slots_[static_cast<size_t>(partition.partition.value)].log;
    PG_ASSIGN(states[partition], log.state(deadline()));  // not_found: another topic may have the name by now
    by_directory[log.spec().log_directory][partition] = offset;
  }
  const auto is_gone = [&](const TopicPartition& partition) {
    return !states[partition]->is_flushed_to(flushed.at(partition));
  };
  for (const auto& [directory, points] : by_directory) {
    PG_CHECK(LogDirectory(home_.env(), directory).raise_recovery_points(points, deadline(), is_gone));
  }
  for (const auto& [partition, state] : states) {
    PG_CHECK(state->check_not_deleted());
    // The page fits these checkpoints, so the next process that opens the partition need not read them.
    const auto checkpoints = checkpoint_versions(
        home_.env().files, slots_[static_cast<size_t>(partition.partition.value)].log->spec().log_directory);
    if (checkpoints && state->check_writable())
      state->page().checkpoints.store(*checkpoints, std::memory_order_relaxed);
  }
  return {};
}

}  // namespace pg
