// The names of Python's that pickles of weights are known to use.
#pragma once

#include <filesystem>
#include <string>

#include "weights/pickle.h"

namespace kindred::weights {

/// What a name stands for. Throws DataError for a type of tensors that is not supported.
/// @param file in which it stands
[[nodiscard]] PickledGlobal pickled_global(const std::string& module, const std::string& name,
                                           const std::filesystem::path& file);

}  // namespace kindred::weights
