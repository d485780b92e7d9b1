// How a report looks: CSS, without what plots have of their own.
#pragma once

#include <string_view>

namespace pg {

extern const std::string_view kReportStyle;

}  // namespace pg
