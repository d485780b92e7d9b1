// pg-group's commands. Each gets the arguments behind its name and returns the exit status.
#pragma once

#include <string>
#include <vector>

#include "core/local/group_admin.h"
#include "tools/common/run_tool.h"
#include "tools/common/subcommands.h"

namespace pg {

int group_list(const Arguments& arguments);
int group_describe(const Arguments& arguments);
int group_lag(const Arguments& arguments);
int group_seek(const Arguments& arguments);
int group_commit(const Arguments& arguments);
int group_delete_offsets(const Arguments& arguments);
int group_delete(const Arguments& arguments);

// "TOPIC" or "TOPIC:PARTITION", of operands from `first` on.
Result<std::vector<PartitionChoice>> parse_choices(const std::vector<std::string>& operands, size_t first);

}  // namespace pg
