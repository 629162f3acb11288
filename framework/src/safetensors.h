// The safetensors format (https://github.com/huggingface/safetensors): 8 bytes length of the header, a JSON
// header, raw little-endian data.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kindred {

struct TensorFile {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;  ///< in the order of the file
  std::map<std::string, std::string> metadata;
};

/// Writes atomically (temporary name, sync, rename); tensors may be of any device. Throws DataError.
void write_safetensors(const std::filesystem::path& file, const TensorFile& content);

/// Reads everything after checking lengths, offsets, overlaps and shapes. Throws DataError.
[[nodiscard]] TensorFile read_safetensors(const std::filesystem::path& file);

/// The metadata alone, without reading the tensors.
[[nodiscard]] std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& file);

}  // namespace kindred
