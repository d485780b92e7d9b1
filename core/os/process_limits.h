// Limits of this process and of the system, named where a call meets one.
#pragma once

#include <string>

namespace pg {

// ", at the limit of 64 open files, which 'ulimit -n' shows and sets": follows "cannot open" in the message of a call
// that failed with `sys_errno`. Empty if no limit is the reason.
std::string limit_met(int sys_errno);

// The same for memory, after std::bad_alloc; empty if memory is not limited.
std::string memory_limit();

}  // namespace pg
