// Kindred's version; CMakeLists.txt says the same.
#pragma once

namespace kindred::system {

inline constexpr const char* kindred_version = "0.1.0";

}  // namespace kindred::system
