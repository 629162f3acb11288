// The safetensors format (https://github.com/huggingface/safetensors): 8 bytes length of the header, a JSON
// header, raw little-endian data.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kindred::file {

struct TensorFile {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;  ///< in the order of the file
  std::map<std::string, std::string> metadata;

  /// The tensor of that name, or nullptr.
  [[nodiscard]] const torch::Tensor* find(const std::string& name) const;
};

/// Writes atomically (temporary name, sync, rename); tensors may be of any device and any strides. In the
/// file, tensors are ordered by the size of their elements, largest first, else as given: each is then
/// aligned without holes. Equal content gives equal bytes. Types: BOOL, U8, I8, I16, I32, I64, F16, BF16,
/// F32, F64. Throws DataError.
void write_safetensors(const std::filesystem::path& file, const TensorFile& content);

/// Reads everything after checking lengths, offsets, overlaps and shapes; nothing is allocated that the file
/// does not hold. Throws DataError.
[[nodiscard]] TensorFile read_safetensors(const std::filesystem::path& file);

/// The metadata alone, without reading the tensors. Checks the header as read_safetensors() does.
[[nodiscard]] std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& file);

}  // namespace kindred::file
