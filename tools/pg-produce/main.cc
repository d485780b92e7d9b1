// pg-produce: standard input, or arguments, to a topic.
#include <fmt/format.h>

#include "core/os/signals.h"
#include "tools/common/json_record.h"
#include "tools/common/record_reader.h"
#include "tools/pg-produce/options.h"

namespace pg {
namespace {

// A read of so much says that whoever fills the pipe is at least as fast as we are.
constexpr size_t kFullPipeBytes = 64 << 10;

class Produce {
 public:
  // `codec`: what makes values of the input; null: it is values.
  Produce(const Tool& tool, const ProduceOptions& options, Producer& producer, ValueCodec* codec)
      : tool_(tool), options_(options), producer_(producer), codec_(codec) {
    record_.timestamp_ms = options.timestamp_ms;
  }

  Result<> send_messages(const std::vector<std::string>& operands);
  Result<> send_files();
  Result<> send_input();

  // "line 57: ", for messages: the record that stopped it, or the first of those that could not be written, where that
  // can be told. `done`: how many records were written or are there already.
  std::string place(const Error& error, int64_t done) const;

 private:
  // Most runs have no codec, and nothing may be added to what each of their records costs.
  Result<> send(Record& record, std::optional<PartitionId> partition) {
    return codec_ == nullptr ? producer_.send(record, partition) : send_encoded(record, partition);
  }
  Result<> send_encoded(Record& record, std::optional<PartitionId> partition);
  Result<> send_text(std::string_view text);
  Result<> send_json(std::string_view line);
  Result<> send_available(RecordReader& reader);
  Result<> send_and_copy(RecordReader& reader);
  Result<bool> wait_for_input(const InputStream& input);

  const Tool& tool_;
  const ProduceOptions& options_;
  Producer& producer_;
  ValueCodec* codec_;
  const char* unit_ = "line";  // what records are counted in
  int64_t record_number_ = 0;  // of the record being sent, from 1
  Record record_;              // reused: its headers are the same for every record
};

Result<> Produce::send_encoded(Record& record, std::optional<PartitionId> partition) {
  if (record.value) {
    PG_ASSIGN(record.value, codec_->encode(*record.value));
  }
  return producer_.send(record, partition);
}

// A record as the user wrote it: key and value, or only a value.
Result<> Produce::send_text(std::string_view text) {
  record_.key = options_.key ? std::optional<std::string_view>(*options_.key) : std::nullopt;
  record_.value = text;
  if (options_.key_delimiter) {
    const auto at = text.find(*options_.key_delimiter);
    if (at != std::string_view::npos) {
      record_.key = text.substr(0, at);
      record_.value = text.substr(at + options_.key_delimiter->size());
    } else if (!options_.key_optional) {
      return fail(Errc::invalid_argument,
                  fmt::format("no key delimiter '{}' (--key-optional allows that)", *options_.key_delimiter));
    }
  }
  if (options_.empty_is_null && record_.value->empty()) record_.value.reset();
  if (record_.headers.size() != options_.headers.size()) {
    record_.headers.clear();
    for (const auto& [name, value] : options_.headers) record_.headers.push_back({name, value});
  }
  return send(record_, options_.partition);
}

Result<> Produce::send_json(std::string_view line) {
  PG_ASSIGN(const JsonRecord parsed, parse_json_record(line));
  Record record;
  record.key = options_.key ? options_.key : parsed.key;
  record.value = parsed.value;
  record.timestamp_ms = options_.timestamp_ms ? options_.timestamp_ms : parsed.timestamp_ms;
  for (const auto& [name, value] : parsed.headers) record.headers.push_back({name, value});
  for (const auto& [name, value] : options_.headers) record.headers.push_back({name, value});
  return send(record, options_.partition ? options_.partition : parsed.partition);
}

Result<> Produce::send_messages(const std::vector<std::string>& operands) {
  for (size_t i = 1; i < operands.size(); ++i) {
    unit_ = "message";
    record_number_ = static_cast<int64_t>(i);
    PG_CHECK(send_text(operands[i]));
  }
  return {};
}

Result<> Produce::send_files() {
  for (const auto& path : options_.files) {
    unit_ = "file";
    ++record_number_;
    PG_ASSIGN(const std::string content, read_user_file(path, static_cast<size_t>(kBatchBytesMax)));
    PG_CHECK(send_text(content));
  }
  return {};
}

Result<> Produce::send_input() {
  const InputStream input = InputStream::standard_input();
  // JSON may take six characters for a byte, and names its fields.
  const auto record_bytes_max = static_cast<size_t>(producer_.max_record_bytes());
  RecordReader reader(options_.nul_delimiter ? std::string(1, '\0') : options_.delimiter,
                      tool_.common().json ? 6 * record_bytes_max + 4096 : record_bytes_max, options_.framing);
  if (options_.framing != Framing::lines) unit_ = "record";
  bool enlarged = false;
  for (;;) {
    PG_ASSIGN(const bool go_on, wait_for_input(input));
    if (!go_on) return {};
    PG_ASSIGN(const size_t got, input.read(reader.space()));
    reader.filled(got);
    if (got >= kFullPipeBytes && !enlarged) {
      input.enlarge_pipe();  // only now: for a few records it would cost more than it saves
      enlarged = true;
    }
    if (got == 0) reader.finish();
    PG_CHECK(options_.tee ? send_and_copy(reader) : send_available(reader));
    if (got == 0) return {};
  }
}

Result<> Produce::send_available(RecordReader& reader) {
  // One look at the clock for all records that came at once.
  if (!options_.timestamp_ms) record_.timestamp_ms = tool_.env().clock.wall_ms();
  for (;;) {
    const auto text = reader.next();
    if (text && !*text) return {};
    auto sent =
        text ? (tool_.common().json ? send_json(**text) : send_text(**text)) : Result<>(tl::unexpected(text.error()));
    if (sent) continue;
    record_number_ = reader.number();
    if (text) reader.refuse();
    return sent;
  }
}

// A record is on standard output only once it is in the log: so each read becomes a batch, or one for each partition.
Result<> Produce::send_and_copy(RecordReader& reader) {
  auto sent = send_available(reader);
  auto written = producer_.send_batches();
  // Where a record was refused, those before it are in the log; where a batch could not be written, nobody knows which.
  const bool all_before = sent ? written.has_value() : producer_.records_written() + 1 == reader.number();
  if (all_before) PG_CHECK(OutputStream::standard_output().write(as_bytes(reader.taken())));
  return sent ? written : sent;
}

std::string Produce::place(const Error& error, int64_t done) const {
  if (error.code == Errc::not_durable && error.what.starts_with("written")) return "";  // no record is to blame
  const bool is_the_record = error.code == Errc::invalid_argument || error.code == Errc::conflict;
  // What failed may be a batch of others than this record; with several partitions, nobody knows which.
  const int64_t number = is_the_record || producer_.partition_count() > 1 ? record_number_ : done + 1;
  return is_the_record || number == done + 1 ? fmt::format("{} {}: ", unit_, number) : "";
}

// What a named input had in the topic before.
void note_skipped(const Tool& tool, const InputProgress& input, const std::string& topic) {
  std::string text = fmt::format("{} records were in '{}' already", input.skipped, topic);
  if (input.gone > 0) text += fmt::format(" ({} of them are gone by now, and were not compared)", input.gone);
  if (input.missing > 0) text += fmt::format("; it has {} more that are not in the input", input.missing);
  if (input.skipped + input.missing > 0) tool.note(text);
}

// While input has nothing, batches are sent once they have lingered. False: a stop signal came.
Result<bool> Produce::wait_for_input(const InputStream& input) {
  for (;;) {
    const auto due = producer_.linger_deadline();
    const Deadline now = tool_.env().clock.now();
    const bool linger = due && *due > now;
    // With nothing to linger for, what there is to read comes first.
    PG_ASSIGN(const auto ready, input.wait(linger ? *due : due ? now : kNoDeadline));
    if (ready == InputStream::Ready::stopped) return false;
    if (ready == InputStream::Ready::yes) return true;
    PG_CHECK(producer_.send_batches());
  }
}

Result<> print_report(const Tool& tool, const BatchReport& report) {
  return tool.print(
      fmt::format("{{\"topic\":\"{}\",\"partition\":{},\"base_offset\":{},\"count\":{},\"state\":\"{}\"}}\n",
                  report.partition.topic, report.partition.partition.value, report.base_offset.value,
                  report.record_count, report.state));
}

// By the schema that was asked for, or the one that the topic asks for.
Result<std::unique_ptr<ValueCodec>> open_codec(const Tool& tool, Cluster& cluster,
                                               const std::optional<SubjectChoice>& schema, bool takes_encoded,
                                               const ProgramRun& program) {
  if (!schema) return nullptr;
  return make_value_codec(cluster, {.schema = schema, .takes_encoded = takes_encoded, .deadline = tool.deadline()},
                          program);
}

// None: it asks for none, or for what was chosen anyway.
Result<std::optional<SubjectChoice>> schema_of_topic(const std::string& topic, const Producer& producer,
                                                     const std::optional<SubjectChoice>& chosen) {
  if (!producer.asks_for_schema()) return std::nullopt;
  const std::string subject = topic + "-value";
  if (!chosen) return SubjectChoice{subject, {}, false};
  if (chosen->subject == subject) return std::nullopt;
  return fail(Errc::conflict,
              fmt::format("topic '{}' takes values of subject '{}' only (config schema.validation)", topic, subject));
}

Result<ExitCode> produce(Tool& tool, ProduceOptions& options, const std::vector<std::string>& operands,
                         const ProgramRun& program) {
  PG_CHECK(check_combination(tool, options, operands.size() > 1));
  catch_stop_signals();
  options.producer.timeout = tool.common().timeout;
  options.producer.create_topic = !options.no_create;
  if (options.report)
    options.producer.report = [&tool](const BatchReport& report) { return print_report(tool, report); };
  PG_ASSIGN(const auto cluster, options.no_create ? tool.open_cluster() : tool.open_cluster_to_write());
  options.producer.topic_made = [&](const std::string& topic) {
    tool.made(fmt::format("made topic '{}' with 1 partition in {}", topic, cluster->location()));
  };
  PG_ASSIGN(auto codec, open_codec(tool, *cluster, options.schema, false, program));
  PG_ASSIGN(const auto producer, cluster->open_producer(operands[0], options.producer));
  PG_ASSIGN(const auto asked, schema_of_topic(operands[0], *producer, options.schema));
  if (asked) {
    PG_ASSIGN(codec, open_codec(tool, *cluster, asked, true, program));
  }
  if (options.tee) ignore_closed_pipes();

  Produce run(tool, options, *producer, codec.get());
  auto sent = operands.size() > 1      ? run.send_messages(operands)
              : !options.files.empty() ? run.send_files()
                                       : run.send_input();
  // Whatever stopped it, the records before are sent and flushed, and counted.
  auto closed = producer->close(sent && stop_signal() == 0);
  if (sent && closed) {
    if (const auto input = producer->input()) note_skipped(tool, *input, operands[0]);
    tool.detail(fmt::format("{} records written to '{}'", producer->records_written(), operands[0]));
    if (const int signal = stop_signal(); signal != 0) die_of_signal(signal);
    return kExitDone;
  }
  if (closed && options.tee && sent.error().sys_errno == EPIPE) die_of_signal(SIGPIPE);
  const Error& error = !sent ? sent.error() : closed.error();
  return fail(error.code,
              fmt::format("{}{}; {} records written", sent ? "" : run.place(error, producer->records_done()),
                          error.message(), producer->records_written()));
}

}  // namespace
}  // namespace pg

int main(int argc, char** argv) {
  pg::Tool tool("pg-produce");
  pg::ProduceOptions options;
  pg::OptionTable table = pg::produce_options(tool, options);
  const pg::ProgramRun program{"pg-produce", pg::arguments_of(argc, argv)};
  return tool.run(table, program.arguments,
                  [&](const auto& operands) { return pg::produce(tool, options, operands, program); });
}
