// The options that say how records are sent, for every tool that sends some.
#pragma once

#include "tools/common/api.h"
#include "tools/common/options.h"

namespace pg {

// -z, --acks, --flush, --batch-bytes, --linger, --partitioner. Both outlive `table`.
void add_producer_options(OptionTable& table, ProducerOptions& options);

const char* name_of(Acks acks);
const char* name_of(FlushMode flush);

}  // namespace pg
