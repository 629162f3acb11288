// Files of PyTorch's torch.save and torch.jit.save, read without Python and without executing anything.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "file/binary_file.h"
#include "file/safetensors.h"

namespace kindred::weights {

struct TorchFile {
  std::string format;      ///< "PyTorch", "PyTorch before 1.6" or "TorchScript"
  std::string choice;      ///< why these of several networks, in a line; or ""
  std::string dictionary;  ///< the keys under which the tensors lay: "checkpoint.state_dict"; "" at the top
  bool has_key = true;     ///< whether the key that was asked for is there
  std::vector<std::string> beside;   ///< other keys, which are read past
  std::vector<std::string> unknown;  ///< those of objects of Python's: "args (argparse.Namespace)"
  file::TensorFile content;          ///< in the order of the file
};

/// Whether a file begins as one of torch.save does, of either format.
[[nodiscard]] bool is_torch_file(file::BinaryFile& file);

/// Reads a dictionary of tensors: under 'state_dict', 'model' or another key that programs give their
/// weights, also several keys deep and in lists of one; else at the top; else under the only key that has
/// any, or of "teacher" and "student" under the former. A tensor that stands beside such a key is no weight.
/// Of a TorchScript program, what its modules hold under the names of its state_dict(). Each tensor is a view
/// of the memory that the file gives it, which several may share. Objects of Python's beside the tensors are
/// named and not read. Every size and place is checked against the file before anything is allocated; of zip
/// archives, the checksums too.
///
/// Throws DataError naming the file for what is damaged, cut off, big-endian or saved as a whole module,
/// holds no tensors, or has several dictionaries of them under keys that are not known.
/// @param key where to look instead: "teacher", "student.backbone"; without it has_key becomes false and the
/// tensors are looked for as without a key; "": nowhere
[[nodiscard]] TorchFile read_torch_file(const std::filesystem::path& file, const std::string& key = "");

}  // namespace kindred::weights
