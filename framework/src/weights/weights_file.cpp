#include "weights/weights_file.h"

#include <algorithm>
#include <utility>

#include "file/binary_file.h"
#include "file/checksum.h"
#include "kindred/core/error.h"
#include "weights/torch_file.h"

namespace kindred::weights {
namespace {

namespace fs = std::filesystem;

constexpr const char* parallel_prefix = "module.";

/// 8 bytes of length, and the header's first.
bool is_safetensors(file::BinaryFile& file) {
  if (file.size() < 9) return false;
  char first = 0;
  file.read(8, &first, 1);
  return first == '{';
}

void take_off_prefix(WeightsFile& weights) {
  auto& tensors = weights.content.tensors;
  const std::string prefix = parallel_prefix;
  const auto all_have = [&] {
    return std::all_of(tensors.begin(), tensors.end(), [&](const auto& entry) {
      return entry.first.size() > prefix.size() && entry.first.rfind(prefix, 0) == 0;
    });
  };
  while (!tensors.empty() && all_have()) {
    for (auto& [name, tensor] : tensors) name.erase(0, prefix.size());
    weights.prefix += prefix;
  }
}

}  // namespace

WeightsFile read_weights_file(const fs::path& file) {
  WeightsFile weights;
  weights.file = file;
  file::BinaryFile source(file);
  if (is_torch_file(source)) {
    auto read = read_torch_file(file);
    weights.format = std::move(read.format);
    weights.dictionary = std::move(read.dictionary);
    weights.beside = std::move(read.beside);
    weights.content = std::move(read.content);
  } else if (is_safetensors(source)) {
    weights.format = "safetensors";
    weights.content = file::read_safetensors(file);
    file::verify_checksum(file, weights.content);
  } else {
    throw DataError(file, "is not a weight file: neither safetensors nor a file of torch.save");
  }
  if (weights.content.tensors.empty()) throw DataError(file, "contains no tensors");
  take_off_prefix(weights);
  return weights;
}

}  // namespace kindred::weights
