// A file of weights of whatever origin: safetensors, or torch.save's of either format.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "file/safetensors.h"

namespace kindred::weights {

struct WeightsFile {
  std::filesystem::path file;
  std::string format;                ///< "safetensors", "PyTorch", "PyTorch before 1.6", "TorchScript"
  std::string dictionary;            ///< the key under which the tensors lay: "state_dict"; "" at the top
  std::string choice;                ///< why these of several networks, in a line; or ""
  std::vector<std::string> beside;   ///< what lies beside them and is not read
  std::vector<std::string> unknown;  ///< objects of Python's beside them: "args (argparse.Namespace)"
  file::TensorFile content;
};

/// What the file is, is told by its content, not by its name. Throws DataError for what is none of the
/// formats, is damaged, holds no tensors or lacks the key.
/// @param key of the weights where a file holds several networks: of a dictionary, or what their names begin
/// with;
/// "": the weights are looked for (read_torch_file())
[[nodiscard]] WeightsFile read_weights_file(const std::filesystem::path& file, const std::string& key = "");

}  // namespace kindred::weights
