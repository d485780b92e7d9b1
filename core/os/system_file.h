// Small text files of the system: /etc/passwd, /etc/fstab, /proc.
#pragma once

#include <string>

namespace pg {

// Empty where it cannot be read.
std::string read_system_file(const char* path);

}  // namespace pg
