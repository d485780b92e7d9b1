// A word of memory that processes share. It has a name of its own so that the simulator, which puts another header in
// this one's place, can stop a process before any access to one.
#pragma once

#include <atomic>

namespace pg {

template <class T>
using SharedWord = std::atomic<T>;

}  // namespace pg
