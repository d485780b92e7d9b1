#include "tools/pg-consume/exec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/text.h"
#include "core/os/signals.h"
#include "tools/common/json_record.h"

namespace pg {
namespace {

// While a worker is free and others work, new records are looked for so often: nothing can wait for both at once.
constexpr Duration kFreeWorkerInterval = std::chrono::milliseconds(10);

constexpr int kCannotExecute = 126, kCommandNotFound = 127;

// What commands are told, in the order of the manual. None of it is passed on from our own caller, which may be a
// command.
constexpr std::array kVariables = {"PG_TOPIC",   "PG_PARTITION", "PG_OFFSET",     "PG_LAST_OFFSET",
                                   "PG_COUNT",   "PG_KEY",       "PG_KEY_BASE64", "PG_TIMESTAMP",
                                   "PG_HEADERS", "PG_NULL",      "PG_ATTEMPT"};

constexpr std::string_view kDeadLetterPrefix = "pg.dlq.";

std::vector<std::string> inherited_environment() {
  auto kept = our_environment();
  std::erase_if(kept, [](std::string_view variable) {
    return std::find(kVariables.begin(), kVariables.end(), variable.substr(0, variable.find('='))) != kVariables.end();
  });
  return kept;
}

// "offset 42 of 't-0'"
std::string place_of(const DeliveryJob& job) {
  const int64_t first = job.records.front().offset().value, last = job.records.back().offset().value;
  const std::string offsets =
      first == last ? fmt::format("offset {}", first) : fmt::format("offsets {} to {}", first, last);
  return fmt::format("{} of '{}-{}'", offsets, job.partition.topic, job.partition.partition.value);
}

}  // namespace

Exec::Exec(const Tool& tool, const ConsumeOptions& options, DamageNote note_damage)
    : tool_(tool),
      options_(options),
      note_damage_(std::move(note_damage)),
      environment_(inherited_environment()),
      delivery_(options.exec.delivery(), tool.env().random) {}

Result<std::unique_ptr<Exec>> Exec::open(const Tool& tool, const ConsumeOptions& options, Cluster& cluster,
                                         const std::vector<std::string>& topics, DamageNote note_damage) {
  catch_stop_signals();
  std::unique_ptr<Exec> exec(new Exec(tool, options, std::move(note_damage)));
  if (const auto& topic = options.exec.dead_letter_topic) {
    if (std::find(topics.begin(), topics.end(), *topic) != topics.end()) {
      return fail(Errc::invalid_argument,
                  fmt::format("--dlq: '{}' is read itself: its records would come round for ever", *topic));
    }
    ProducerOptions producing;
    producing.flush = FlushMode::batch;
    producing.timeout = tool.common().timeout;
    PG_ASSIGN(exec->dead_letters_, cluster.open_producer(*topic, producing));
  }
  return exec;
}

void Exec::add(OwnedRecord record) {
  ++taken_;
  const LeaderEpoch epoch = record.view().leader_epoch;
  delivery_.add(std::move(record), epoch);
}

Result<ExitCode> Exec::run(BatchSource& source) {
  source_ = &source;
  for (;;) {
    look_for_stop();
    read_more();
    start_commands();
    if (is_done()) return end();
    if (!delivery_.is_idle()) {
      const bool looks_for_more = !read_all_ && delivery_.wants_more();
      PG_CHECK(wait_for_command(looks_for_more ? kFreeWorkerInterval : kAttendInterval));
    }
    if (const auto attended = attend(); !attended) {
      keep_error(attended.error());
      delivery_.stop();
    }
  }
}

// What is to happen from time to time, also while no records are wanted.
Result<> Exec::attend() {
  PG_CHECK(source_->attend());
  return source_->commit_is_due() ? source_->commit() : Result<>();
}

Result<> Exec::release(const TopicPartition& partition) {
  delivery_.drop(partition);
  while (delivery_.running_of(partition) > 0) {
    look_for_stop();
    PG_CHECK(wait_for_command(kAttendInterval));
  }
  tell_done(partition);
  told_.erase(partition);
  delivery_.forget(partition);
  return {};
}

void Exec::look_for_stop() {
  if (stop_signal() == 0) return;
  read_all_ = true;
  delivery_.stop();
  if (stop_signal_count() < 2) return;
  children_.kill_all();
  die_of_signal(stop_signal());
}

void Exec::read_more() {
  while (!read_all_ && delivery_.wants_more()) {
    const auto fetched = source_->poll(read_deadline());
    // A command for what was read before an error still runs.
    if (!fetched) {
      read_all_ = true;
      return keep_error(fetched.error());
    }
    if (!*fetched) {
      read_all_ = source_->at_end() || (quiet_until_ && clock().now() >= *quiet_until_);
      return;
    }
    const auto more = take_batch(**fetched);
    if (!more) keep_error(more.error());
    read_all_ = !more || !*more;
  }
}

// It sleeps in there only while nothing else can happen. A follower that was given a time ends when it had nothing to
// do for so long.
Deadline Exec::read_deadline() {
  if (!delivery_.is_idle()) {
    quiet_until_.reset();
    return Deadline::min();
  }
  if (!quiet_until_ && options_.follow && tool_.common().timeout_given) quiet_until_ = tool_.deadline();
  return std::min(quiet_until_.value_or(kNoDeadline), clock().after(kAttendInterval));
}

// False once the asked-for number of records was taken.
Result<bool> Exec::take_batch(const ConsumedBatch& fetched) {
  Offset next = fetched.from;
  auto taken = take_records(fetched, next);
  if (!taken && taken.error().code == Errc::corrupt) {
    taken.error().path = fmt::format("partition {} of '{}'", fetched.source->partition.value, fetched.source->topic);
    if (options_.skip_damaged) {
      note_damage_({*fetched.source, next, fetched.end, taken.error()});
      taken = {};
    }
  }
  PG_CHECK(taken);
  // Offsets behind the last record that have none are done with it.
  if (taken_ < options_.count && next < fetched.end) {
    delivery_.pass(*fetched.source, Offset(fetched.end.value - 1), fetched.leader_epoch);
  }
  tell_done(*fetched.source);  // some may be done without a command
  return taken_ < options_.count;
}

// `next`: the offset behind the last record that could be read.
Result<> Exec::take_records(const ConsumedBatch& fetched, Offset& next) {
  if (taken_ >= options_.count) return {};
  ConsumedRecord record;
  while (taken_ < options_.count) {
    PG_ASSIGN(const bool more, fetched.next(record));
    if (!more) return {};
    PG_ASSIGN(const bool chosen, choose(options_, record));
    next = record.offset + 1;
    if (chosen) {
      quiet_until_.reset();
      add(OwnedRecord(record));
    } else {
      delivery_.pass(*fetched.source, record.offset, record.leader_epoch);
    }
  }
  return {};
}

void Exec::start_commands() {
  while (const DeliveryJob* job = delivery_.start(clock().now())) {
    const auto started = children_.start(job->id, command_for(*job));
    if (started) continue;
    if (started.error().sys_errno == E2BIG) {
      conclude(job->id,
               {Delivery::Attempt::failed, started.error().message(), "not started", started.error().message()});
      continue;
    }
    // It is not the record's fault.
    keep_error(started.error());
    delivery_.stop();
    delivery_.ended(job->id, Delivery::Attempt::impossible, clock().now());
  }
}

ChildCommand Exec::command_for(const DeliveryJob& job) const {
  ChildCommand command;
  command.shell_command = *options_.exec.command;
  command.environment = environment_for(job);
  for (const auto& record : job.records) {
    command.input += record.view().value.value_or("");
    if (options_.exec.batch) command.input += options_.print.delimiter;
  }
  command.keep_errors = dead_letters_ != nullptr;
  command.inherit = source_->ownership_descriptor(job.partition.topic);
  return command;
}

std::vector<std::string> Exec::environment_for(const DeliveryJob& job) const {
  std::vector<std::string> environment = environment_;
  const auto set = [&](const char* name, std::string_view value) {
    environment.push_back(fmt::format("{}={}", name, value));
  };
  set("PG_TOPIC", job.partition.topic);
  set("PG_PARTITION", std::to_string(job.partition.partition.value));
  set("PG_OFFSET", std::to_string(job.records.front().offset().value));
  set("PG_ATTEMPT", std::to_string(job.attempt));
  if (options_.exec.batch) {
    set("PG_LAST_OFFSET", std::to_string(job.records.back().offset().value));
    set("PG_COUNT", std::to_string(job.records.size()));
    return environment;
  }
  const ConsumedRecord record = job.records.front().view();
  // A variable ends at the first NUL: half a key would be taken for another one.
  if (record.key && record.key->find('\0') == std::string_view::npos) set("PG_KEY", *record.key);
  if (record.key && record.key->find('\0') != std::string_view::npos) set("PG_KEY_BASE64", base64(*record.key));
  set("PG_TIMESTAMP", std::to_string(record.timestamp_ms));
  std::string headers;
  append_json_headers(headers, record);
  set("PG_HEADERS", headers);
  if (!record.value) set("PG_NULL", "1");
  return environment;
}

Result<> Exec::wait_for_command(Duration longest) {
  const Deadline until = std::min(clock().after(longest), delivery_.next_start().value_or(kNoDeadline));
  PG_ASSIGN(const auto exit, children_.wait(until));
  if (!exit) return {};
  const ChildStatus& status = exit->status;
  const bool impossible =
      status.signal == 0 && (status.exit_status == kCannotExecute || status.exit_status == kCommandNotFound);
  const auto attempt = status.succeeded() ? Delivery::Attempt::succeeded
                       : impossible       ? Delivery::Attempt::impossible
                                          : Delivery::Attempt::failed;
  conclude(exit->id, {attempt, status.text(), std::to_string(status.shell_status()), exit->errors});
  return {};
}

void Exec::conclude(uint64_t id, const Outcome& outcome) {
  const DeliveryJob& job = delivery_.job(id);
  const TopicPartition partition = job.partition;
  switch (delivery_.ended(id, outcome.attempt, clock().now())) {
    case Delivery::Verdict::finished:
      break;
    case Delivery::Verdict::retry:
      tool_.note(fmt::format("attempt {} of {} failed for {}: {}", job.attempt, *options_.exec.attempts_max,
                             place_of(job), outcome.text));
      break;
    case Delivery::Verdict::dead_letter:
      bury(job, outcome);
      break;
    case Delivery::Verdict::gave_up: {
      const std::string tried = job.attempt > 1 ? fmt::format(", after {} attempts", job.attempt) : "";
      keep_error(
          {Errc::io, fmt::format("the command failed for {}: {}{}", place_of(job), outcome.text, tried), {}, {}, 0});
      break;
    }
  }
  tell_done(partition);
}

void Exec::bury(const DeliveryJob& job, const Outcome& outcome) {
  auto sent = send_dead_letters(job, outcome);
  if (!sent) {
    sent.error().what =
        fmt::format("cannot put {} into '{}': {}", place_of(job), *options_.exec.dead_letter_topic, sent.error().what);
    keep_error(sent.error());
    return delivery_.stop();
  }
  tool_.note(fmt::format("put {} into '{}' after {} attempts: {}", place_of(job), *options_.exec.dead_letter_topic,
                         job.attempt, outcome.text));
  delivery_.dead_lettered(job.id);
}

// On stable storage on return.
Result<> Exec::send_dead_letters(const DeliveryJob& job, const Outcome& outcome) {
  const std::string partition = std::to_string(job.partition.partition.value), attempts = std::to_string(job.attempt);
  for (const auto& owned : job.records) {
    const ConsumedRecord record = owned.view();
    const std::string offset = std::to_string(record.offset.value), timestamp = std::to_string(record.timestamp_ms);
    Record letter{.key = record.key, .value = record.value};
    // What an earlier time here has left would only be mistaken for this one's.
    for (const Header& header : record.headers()) {
      if (!header.name.starts_with(kDeadLetterPrefix)) letter.headers.push_back(header);
    }
    letter.headers.insert(letter.headers.end(), {{"pg.dlq.topic", job.partition.topic},
                                                 {"pg.dlq.partition", partition},
                                                 {"pg.dlq.offset", offset},
                                                 {"pg.dlq.timestamp", timestamp},
                                                 {"pg.dlq.attempts", attempts},
                                                 {"pg.dlq.exit.status", outcome.status},
                                                 {"pg.dlq.stderr", outcome.errors}});
    PG_CHECK(dead_letters_->send(letter));
  }
  return dead_letters_->send_batches();
}

void Exec::tell_done(const TopicPartition& partition) {
  const auto position = delivery_.committable(partition);
  if (!position) return;
  const auto [told, fresh] = told_.try_emplace(partition, position->offset);
  if (!fresh && told->second == position->offset) return;
  told->second = position->offset;
  source_->delivered(partition, position->offset, position->epoch);
}

void Exec::keep_error(Error error) {
  if (error_) {
    tool_.error(error.message());
  } else {
    error_ = std::move(error);
  }
}

Result<ExitCode> Exec::end() {
  if (stop_signal() != 0) {
    if (error_) tool_.error(error_->message());
    return kExitDone;  // the signal is what the caller ends by
  }
  if (error_) return tl::unexpected(*error_);
  if (options_.follow && options_.count != kNoCount && taken_ < options_.count && quiet_until_) {
    return fail(Errc::timed_out, fmt::format("{} of {} records came in time", taken_, options_.count));
  }
  return kExitDone;
}

}  // namespace pg
