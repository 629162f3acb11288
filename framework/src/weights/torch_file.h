// Files of PyTorch's torch.save, read without Python and without executing anything.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "file/binary_file.h"
#include "file/safetensors.h"

namespace kindred::weights {

struct TorchFile {
  std::string format;               ///< "PyTorch" or "PyTorch before 1.6"
  std::string dictionary;           ///< the key under which the tensors lay: "state_dict"; "" at the top
  std::vector<std::string> beside;  ///< other keys, which are read past
  file::TensorFile content;         ///< in the order of the file
};

/// Whether a file begins as one of torch.save does, of either format.
[[nodiscard]] bool is_torch_file(file::BinaryFile& file);

/// Reads a dictionary of tensors, at the top or under 'state_dict', 'model', 'model_state_dict' or 'net' (the
/// first that is there). Each tensor is a view of the memory that the file gives it, which several may share.
/// Every size and place is checked against the file before anything is allocated; of zip archives, the
/// checksums too. Throws DataError naming the file for what is damaged, cut off, big-endian, holds no tensors
/// or asks for anything of Python's beside them.
[[nodiscard]] TorchFile read_torch_file(const std::filesystem::path& file);

}  // namespace kindred::weights
