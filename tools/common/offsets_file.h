// The file between 'pg-consume --offsets-file' and 'pg-group commit': what was delivered and is to be committed. A line
// for each partition: topic, partition, the offset behind the last record, its leader epoch, and what the group had
// committed before; tabs in between. Lines without the last field, which an earlier version wrote, are read too.
#pragma once

#include <string>
#include <vector>

#include "tools/common/api.h"

namespace pg {

std::string write_offsets_file(const std::vector<DeliveredOffset>& offsets);
// invalid_argument names the line.
Result<std::vector<DeliveredOffset>> read_offsets_file(const std::string& path);

}  // namespace pg
