// The state of an optimizer as plain tensors, for files.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <filesystem>
#include <string>

#include "file/safetensors.h"

namespace kindred::training {

/// Adds NAME, which counts the values and the parameters of each group, and a tensor for each value:
/// NAME.PLACE.KEY of the parameter at that place (from 0, through all groups), NAME.KEY of the optimizer as a
/// whole. Numbers and truth values have no dimension, and names that end in ".int", ".double" or ".bool".
/// Options such as learning rates are not part of it. Throws Error where the optimizer saves something else.
void add_optimizer_state(file::TensorFile& state, const std::string& name,
                         const torch::optim::Optimizer& optimizer);

/// Reads such a state, wherever it was saved, into a new optimizer of the same parameters on `device`.
/// Nothing in it is executed, whoever wrote it. Throws DataError naming `file` when it is missing, damaged or
/// of another optimizer.
void restore_optimizer_state(torch::optim::Optimizer& optimizer, const file::TensorFile& state,
                             const std::string& name, const std::filesystem::path& file,
                             torch::Device device);

}  // namespace kindred::training
