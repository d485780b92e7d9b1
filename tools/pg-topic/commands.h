// pg-topic's sub-commands. Each gets the arguments behind its name and returns the exit status.
#pragma once

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

}  // namespace pg
