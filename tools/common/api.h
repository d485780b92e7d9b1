// The public API, whose names the tools use as their own.
#pragma once

#include <pilgrimage/cluster.h>

#include "core/base/result.h"
#include "core/base/types.h"

namespace pg {

using namespace pilgrimage;

}  // namespace pg
