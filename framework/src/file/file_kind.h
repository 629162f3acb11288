// What a file is, told by its content: for messages that say what was given in place of something else.
#pragma once

#include <filesystem>
#include <string>

namespace kindred::file {

enum class FileKind {
  missing,
  unreadable,  ///< there, but may not be read
  folder,
  special,  ///< neither a file nor a folder: a device, a pipe
  empty,
  model,        ///< Kindred's model file
  checkpoint,   ///< of a training of Kindred
  safetensors,  ///< another program's
  torch,        ///< of torch.save
  torch_script,
  onnx,
  npy,
  image,
  text,
  other,
};

/// Never throws: a file that cannot be read is unreadable.
[[nodiscard]] FileKind file_kind(const std::filesystem::path& file);

/// "a file of PyTorch (torch.save)", "a folder"
[[nodiscard]] std::string description_of(FileKind kind);

}  // namespace kindred::file
