// A file of weights of whatever origin: safetensors, or torch.save's of either format.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "file/safetensors.h"

namespace kindred::weights {

struct WeightsFile {
  std::filesystem::path file;
  std::string format;               ///< "safetensors", "PyTorch", "PyTorch before 1.6"
  std::string dictionary;           ///< "state_dict" where the tensors lay under that key; "" at the top
  std::vector<std::string> beside;  ///< what lies beside them and is not read
  std::string prefix;               ///< taken off every name: "module.", or ""
  file::TensorFile content;
};

/// What the file is, is told by its content, not by its name. A prefix 'module.' that every name has, as
/// DataParallel adds it, is taken off. Throws DataError for what is none of the formats, is damaged or holds
/// no tensors.
[[nodiscard]] WeightsFile read_weights_file(const std::filesystem::path& file);

}  // namespace kindred::weights
