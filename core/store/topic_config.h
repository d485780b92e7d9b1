// The topic configs that this version obeys: Kafka's names, meanings and defaults. An unknown name is refused, because
// nobody would notice that a config is stored and not obeyed.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/log/partition_log.h"
#include "core/store/config_table.h"

namespace pg {

// Checks one "name=value" and adds it to `config`. invalid_argument says which names there are, or which values.
Result<> add_config(ConfigMap& config, std::string_view assignment);

// invalid_argument if there is no such config.
Result<> check_config_name(std::string_view name);

// All topic configs, sorted by name.
std::vector<ConfigDescription> describe_topic_configs();

// Config schema.validation: values are to match the latest version of the subject that is named after the topic. Logs
// do not look at values, so the producer has to obey it.
bool asks_for_schema(const ConfigMap& config);

// What a log needs of them; values were checked when they were set. corrupt for one that could not have been.
Result<LogConfig> to_log_config(const ConfigMap& config);

}  // namespace pg
