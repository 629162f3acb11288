// The names of Python's that pickles of weights are known to use.
#pragma once

#include <string>

#include "weights/pickle.h"

namespace kindred::weights {

/// What a name stands for.
[[nodiscard]] PickledGlobal pickled_global(const std::string& module, const std::string& name);

}  // namespace kindred::weights
