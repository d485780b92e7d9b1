// Who runs this process. /etc/passwd is read here and not by getpwuid(), which in a program that is linked statically needs the
// shared libraries of the very glibc that it was linked with. So users that only a network service knows have no home directory
// here; they have $HOME.
#pragma once

#include <string>
#include <string_view>

namespace pg {

// The home directory of this process's user as /etc/passwd says. Empty: it does not say.
std::string home_directory_of_user();

// The same of user `id` in the text of such a file.
std::string home_directory_in(std::string_view passwd, uint32_t id);

}  // namespace pg
