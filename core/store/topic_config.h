// The topic configs this version obeys: Kafka's names, meanings and defaults. One table; an unknown name is refused,
// because a config that is stored and not obeyed would be a promise broken in silence.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/log/partition_log.h"

namespace pg {

using ConfigMap = std::map<std::string, std::string>;

// "name=value" in two.
Result<std::pair<std::string_view, std::string_view>> split_config(std::string_view assignment);

// Checks one "name=value" and adds it to `config`. invalid_argument says which names there are, or which values.
Result<> add_config(ConfigMap& config, std::string_view assignment);

// invalid_argument if there is no such config.
Result<> check_config_name(std::string_view name);

// Config schema.validation: values are to match the latest version of the subject that is named after the topic. Logs
// do not look at values: who sends them has to obey.
bool asks_for_schema(const ConfigMap& config);

// What a log needs of them; values were checked when they were set. corrupt for one that could not have been.
Result<LogConfig> to_log_config(const ConfigMap& config);

}  // namespace pg
