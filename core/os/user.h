// The user who runs this process. Reads /etc/passwd itself: in a statically linked program, getpwuid() needs the shared
// libraries of the very glibc that it was linked with. So users that only a network service knows have no home
// directory here, only $HOME.
#pragma once

#include <string>
#include <string_view>

namespace pg {

// The home directory of this process's user in /etc/passwd. Empty: it has none.
std::string home_directory_of_user();

// The same of user `id` in the text of such a file.
std::string home_directory_in(std::string_view passwd, uint32_t id);

}  // namespace pg
