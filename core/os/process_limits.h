// Limits of this process and of the system, named where a call meets one.
#pragma once

#include <string>

namespace pg {

// ", at the limit of 64 open files, which 'ulimit -n' shows and sets": what stands behind "cannot open" when a call failed with
// `sys_errno`. Empty where no limit is to blame.
std::string limit_met(int sys_errno);

// The same for memory, which C++ asks for; empty if there is none.
std::string memory_limit();

}  // namespace pg
