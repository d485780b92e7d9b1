// pg-topic's sub-commands. Each gets the arguments behind its name and returns the exit status.
#pragma once

#include "core/local/admin.h"
#include "tools/common/run_tool.h"
#include "tools/common/subcommands.h"

namespace pg {

int topic_create(const Arguments& arguments);
int topic_list(const Arguments& arguments);
int topic_describe(const Arguments& arguments);
int topic_alter(const Arguments& arguments);
int topic_delete(const Arguments& arguments);
int topic_offsets(const Arguments& arguments);
int topic_dump(const Arguments& arguments);
int topic_trim(const Arguments& arguments);
int topic_compact(const Arguments& arguments);
int topic_verify(const Arguments& arguments);
int topic_repair(const Arguments& arguments);

// What repair does with --abort-transactions.
Result<ExitCode> abort_topic_transactions(const Tool& tool, const Home& home, const Arguments& names, int64_t only,
                                          bool yes);

// The named topics, or all of them, also those whose metadata is damaged.
Result<std::vector<std::string>> chosen_topics(const Home& home, const Arguments& names);

// What a change that can lose records of an internal topic needs. `allowed`: --internal was given. invalid_argument: it
// was not.
Result<> check_internal(const std::string& name, bool allowed);
inline constexpr const char* kInternalHelp = "also internal topics (their names begin with '_')";

// What --help-configs prints: each topic config with its values and its default.
Result<ExitCode> print_config_help(const Tool& tool);
inline constexpr const char* kConfigHelp = "print the topic configs, and what each is for";

// Reports what went wrong with one of several topics, so that a command can go on with the others. The exit status is
// that of damage, if there was any, else the greatest one.
class Faults {
 public:
  explicit Faults(const Tool& tool) : tool_(tool) {}
  void add(const Error& error);
  void add(ExitCode code);
  ExitCode outcome() const { return outcome_; }

 private:
  const Tool& tool_;
  ExitCode outcome_ = kExitDone;
};

// Empty: the topic cannot be looked at. That is a fault, unless the user did not name the topic and it was deleted
// meanwhile.
std::optional<TopicMetadata> describe_chosen(const Home& home, const std::string& name, bool named, Faults& faults);

enum class TopicNamed { no, yes };
// The partition `only` of the topic, or all of them where it is -1. A topic that lacks it is not_found, if the topic
// was named; else there is nothing of it to do.
Result<std::vector<PartitionId>> chosen_partitions(const TopicMetadata& topic, int64_t only, TopicNamed named);

}  // namespace pg
