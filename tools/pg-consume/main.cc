// pg-consume: topics to standard output.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "core/os/signals.h"
#include "tools/pg-consume/batch_source.h"
#include "tools/pg-consume/exec.h"
#include "tools/pg-consume/options.h"

namespace pg {
namespace {

constexpr Duration kAbandonedPoll = std::chrono::milliseconds(500);

class Consume {
 public:
  Consume(const Tool& tool, const ConsumeOptions& options, Cluster& cluster)
      : tool_(tool), options_(options), cluster_(cluster), printer_(options.print, OutputStream::standard_output()) {}

  Result<ExitCode> run(const std::vector<std::string>& topics);

 private:
  Result<std::unique_ptr<BatchSource>> open_source(ConsumerOptions chosen);
  Result<ExitCode> read();
  Result<ExitCode> run_commands();
  Result<> print_last(const ConsumerOptions& chosen);
  Result<std::optional<ConsumedBatch>> wait_for_batch();
  Result<bool> print_batch(const ConsumedBatch& fetched);
  Result<bool> print_records(const ConsumedBatch& fetched, Offset& next);
  Result<> deliver();
  Result<> commit_if_due();
  Deadline progress_deadline() const;
  void note_skipped(const SkippedDamage& skipped);

  const Tool& tool_;
  const ConsumeOptions& options_;
  Cluster& cluster_;
  RecordPrinter printer_;
  std::unique_ptr<BatchSource> source_;
  std::unique_ptr<Exec> exec_;  // with --exec: takes the records in place of the printer
  // What is in the printer, perhaps not written yet: where each partition goes on, and the epoch of its last record.
  std::map<TopicPartition, std::pair<Offset, LeaderEpoch>> printed_up_to_;
  int64_t printed_ = 0;
  int64_t skipped_places_ = 0;
  int64_t skipped_offsets_ = 0;
  std::optional<Deadline> quiet_until_;  // set while it waits for a record to print
};

Result<std::unique_ptr<BatchSource>> Consume::open_source(ConsumerOptions chosen) {
  // What was handed out of a partition is done before the partition is given up, or the reader goes back in it.
  const Release release = [this](const TopicPartition& partition) {
    return exec_ ? exec_->release(partition) : deliver();
  };
  if (options_.group.name.empty()) {
    chosen.on_lost = [release](const LostRecords& lost) { return release(lost.partition); };
    return open_topics(cluster_, std::move(chosen));
  }
  // What it has delivered is committed before it ends, whatever ends it.
  catch_stop_signals();
  ignore_closed_pipes();
  return open_group(tool_.env(), cluster_, options_, std::move(chosen), release);
}

Result<ExitCode> Consume::run(const std::vector<std::string>& topics) {
  ConsumerOptions chosen{.topics = topics,
                         .partitions = options_.partitions,
                         .follow = options_.follow,
                         .isolation = options_.isolation,
                         .timeout = tool_.common().timeout};
  if (options_.range) {
    chosen.from = options_.range->from;
    chosen.to = options_.range->to;
  }
  if (options_.skip_damaged) chosen.skip_damage = [this](const SkippedDamage& skipped) { note_skipped(skipped); };
  if (options_.exec.command) {
    PG_ASSIGN(exec_, Exec::open(tool_, options_, cluster_, topics,
                                [this](const SkippedDamage& skipped) { note_skipped(skipped); }));
  }
  ExitCode outcome = kExitDone;
  if (options_.last >= 0) {
    PG_CHECK(print_last(chosen));
  } else {
    PG_ASSIGN(source_, open_source(std::move(chosen)));
    auto done = exec_ ? run_commands() : read();
    // What was read before the error is printed before the error is, and committed.
    const auto flushed = deliver();
    const auto finished = source_->finish();
    if ((!flushed && flushed.error().sys_errno == EPIPE) || (!done && done.error().sys_errno == EPIPE))
      die_of_signal(SIGPIPE);
    if (!done && done.error().code == Errc::corrupt) done.error().what += "; 'pg-topic verify' lists all damage";
    // An error that comes of a stop signal ends this by the signal, and says nothing; what is not committed has to be
    // said.
    if (!finished && (!done || finished.error().code == Errc::interrupted)) tool_.error(finished.error().message());
    PG_CHECK(done);
    PG_CHECK(flushed);
    PG_CHECK(finished);
    outcome = *done;
  }
  if (const int signal = stop_signal(); signal != 0) die_of_signal(signal);
  tool_.detail(fmt::format("{} records {}", printed_, exec_ ? "given to commands" : "printed"));
  if (skipped_places_ > 0) {
    return fail(Errc::corrupt,
                fmt::format("left out {} offsets in {} damaged places; 'pg-topic verify' lists all damage",
                            skipped_offsets_, skipped_places_));
  }
  if (outcome == kExitDone && printed_ == 0 && options_.fail_if_empty) return fail(Errc::not_found, "nothing to read");
  return outcome;
}

Result<ExitCode> Consume::read() {
  while (printed_ < options_.count && stop_signal() == 0) {
    PG_ASSIGN(auto fetched, source_->poll(options_.follow ? Deadline::min() : tool_.env().clock.after(kAbandonedPoll)));
    if (!fetched && source_->at_end()) return kExitDone;
    if (!fetched && !options_.follow) {  // waiting for a partition that another member has not let go yet
      PG_CHECK(commit_if_due());
      continue;
    }
    if (!fetched) {
      // Before it sleeps, what is there goes out.
      PG_CHECK(deliver());
      PG_ASSIGN(fetched, wait_for_batch());
    }
    if (!fetched) {
      if (stop_signal() != 0) return kExitDone;
      if (source_->at_end()) return kExitDone;
      if (options_.count == kNoCount) return kExitDone;  // a follower that was given a time
      return fail(Errc::timed_out, fmt::format("{} of {} records came in time", printed_, options_.count));
    }
    PG_ASSIGN(const bool more, print_batch(*fetched));
    if (!more) break;
    PG_CHECK(commit_if_due());
  }
  return kExitDone;
}

// What the source has, and what was added before, goes to commands.
Result<ExitCode> Consume::run_commands() {
  const auto done = exec_->run(*source_);
  printed_ = exec_->records_taken();
  return done;
}

// Writes what is printed; only then is it delivered.
Result<> Consume::deliver() {
  PG_CHECK(printer_.flush());
  for (const auto& [partition, place] : printed_up_to_) source_->delivered(partition, place.first, place.second);
  printed_up_to_.clear();
  return {};
}

Result<> Consume::commit_if_due() {
  if (!source_->commit_is_due()) return {};
  PG_CHECK(deliver());
  return source_->commit();
}

// A follower that was given a time ends when it has had nothing to print for so long, and has read all there is.
Deadline Consume::progress_deadline() const {
  return options_.follow && !tool_.common().timeout_given ? kNoDeadline : tool_.deadline();
}

// Sleeps until there is a batch; empty if none came in time. A reader that has left is noticed although nothing is
// written, and ends this as it would end cat.
Result<std::optional<ConsumedBatch>> Consume::wait_for_batch() {
  if (!quiet_until_) quiet_until_ = progress_deadline();
  const Deadline deadline = *quiet_until_;
  for (;;) {
    PG_ASSIGN(const auto fetched, source_->poll(std::min(deadline, tool_.env().clock.after(kAbandonedPoll))));
    if (fetched || source_->at_end() || tool_.env().clock.now() >= deadline || stop_signal() != 0) return fetched;
    PG_CHECK(commit_if_due());
    if (OutputStream::standard_output().is_abandoned())
      return fail(Errc::io, "nobody reads standard output", {}, {}, EPIPE);
  }
}

// False once the asked-for number of records was printed.
Result<bool> Consume::print_batch(const ConsumedBatch& fetched) {
  Offset next = fetched.from;
  auto more = print_records(fetched, next);
  if (more && *more) next = fetched.end;
  if (!options_.group.name.empty()) printed_up_to_[*fetched.source] = {next, fetched.leader_epoch};
  if (more || more.error().code != Errc::corrupt) return more;
  more.error().path = fmt::format("partition {} of '{}'", fetched.source->partition.value, fetched.source->topic);
  if (!options_.skip_damaged) return more;
  note_skipped({*fetched.source, next, fetched.end, more.error()});
  return true;
}

// `next`: the offset behind the last record that could be read.
Result<bool> Consume::print_records(const ConsumedBatch& fetched, Offset& next) {
  const bool all = options_.filter.keeps_all() && !options_.codec;
  ConsumedRecord record;
  for (;;) {
    PG_ASSIGN(const bool more, fetched.next(record));
    if (!more) return true;
    if (!all) {
      PG_ASSIGN(const bool chosen, choose(options_, record));
      if (!chosen) {
        next = record.offset + 1;
        continue;
      }
    }
    next = record.offset + 1;
    PG_CHECK(printer_.print(record));
    quiet_until_.reset();
    if (++printed_ == options_.count) return false;
  }
}

void Consume::note_skipped(const SkippedDamage& skipped) {
  ++skipped_places_;
  skipped_offsets_ += skipped.to - skipped.from;
  tool_.note(fmt::format("skipped offsets {} to {} of '{}-{}': {}", skipped.from.value, skipped.to.value - 1,
                         skipped.partition.topic, skipped.partition.partition.value, skipped.error.message()));
}

Result<> Consume::print_last(const ConsumerOptions& chosen) {
  RecordPredicate wanted;
  // One that cannot be decoded says so when it is its turn to be printed, if it comes to that.
  if (!options_.filter.keeps_all())
    wanted = [this](ConsumedRecord record) { return choose(options_, record).value_or(true); };
  PG_ASSIGN(auto records, cluster_.read_newest(chosen, std::min(options_.last, options_.count), wanted));
  if (exec_) {
    for (auto& owned : records) {
      ConsumedRecord record = owned.view();
      PG_CHECK(choose(options_, record));
      exec_->add(OwnedRecord(record));
    }
    source_ = open_nothing();
    return run_commands().map([](ExitCode) {});
  }
  for (const auto& owned : records) {
    ConsumedRecord record = owned.view();
    PG_CHECK(choose(options_, record));
    PG_CHECK(printer_.print(record));
    ++printed_;
  }
  return printer_.flush();
}

}  // namespace
}  // namespace pg

int main(int argc, char** argv) {
  pg::Tool tool("pg-consume");
  pg::ConsumeOptions options;
  pg::OptionTable table = pg::consume_options(tool, options);
  const pg::ProgramRun program{"pg-consume", pg::arguments_of(argc, argv)};
  return tool.run(table, program.arguments, [&](const auto& topics) -> pg::Result<pg::ExitCode> {
    PG_CHECK(pg::settle(tool, options));
    for (const auto& topic : topics) PG_CHECK(pg::check_topic_name(topic));
    PG_ASSIGN(const auto cluster, tool.open_cluster());
    if (options.by_schema) {
      PG_ASSIGN(options.codec, pg::make_value_codec(*cluster, {.deadline = tool.deadline()}, program));
    }
    return pg::Consume(tool, options, *cluster).run(topics);
  });
}
