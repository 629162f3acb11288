// What the launcher's host (launcher_host.h) and the library that is preloaded into it agree on. Each message
// asks for one process: its arguments, each ended by a zero byte, and its descriptors. The answer is its pid,
// or -1.
#pragma once

#include <array>

namespace kindred::test {

constexpr int host_socket = 3;
/// Working directory, standard input, output and error.
using HostedDescriptors = std::array<int, 4>;

}  // namespace kindred::test
