// Kindred's version.
#pragma once

#include "kindred/version.h"

namespace kindred::system {

inline constexpr const char* kindred_version = KINDRED_VERSION;

}  // namespace kindred::system
