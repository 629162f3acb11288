#include "weights/weights_file.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "file/binary_file.h"
#include "file/checksum.h"
#include "file/file_kind.h"
#include "kindred/core/error.h"
#include "text/printable.h"
#include "weights/torch_file.h"

namespace kindred::weights {
namespace {

namespace fs = std::filesystem;

/// 8 bytes of length, and the header's first.
bool is_safetensors(file::BinaryFile& file) {
  if (file.size() < 9) return false;
  char first = 0;
  file.read(8, &first, 1);
  return first == '{';
}

/// That messages name.
constexpr std::size_t most_parts = 20;

/// What the names of tensors begin with, each once.
std::vector<std::string> first_parts(const file::TensorFile& content) {
  std::vector<std::string> parts;
  for (const auto& [name, tensor] : content.tensors) {
    if (parts.size() == most_parts) break;
    auto part = text::printable(name.substr(0, name.find('.')));
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
  }
  return parts;
}

/// Keeps the tensors whose names begin with a key, and takes it off.
void select(WeightsFile& weights, const std::string& key) {
  const auto prefix = key + ".";
  file::TensorFile selected{{}, weights.content.metadata};
  for (auto& [name, tensor] : weights.content.tensors) {
    if (name.starts_with(prefix)) selected.tensors.emplace_back(name.substr(prefix.size()), tensor);
  }
  if (selected.tensors.empty()) {
    auto known = weights.beside;
    if (!weights.dictionary.empty()) known.insert(known.begin(), weights.dictionary);
    for (auto& part : first_parts(weights.content)) known.push_back(std::move(part));
    if (known.size() > most_parts) known.resize(most_parts);
    throw DataError(weights.file, "has no tensors under the key '" + text::printable(key) +
                                      "'; it contains " + quoted_list(known));
  }
  weights.dictionary += (weights.dictionary.empty() ? "" : ".") + key;
  weights.content = std::move(selected);
}

[[noreturn]] void refuse(const fs::path& file) {
  const auto kind = file::file_kind(file);
  const auto is_text = kind == file::FileKind::text || kind == file::FileKind::other;
  throw DataError(
      file,
      (is_text ? "is not a weight file" : "is " + file::description_of(kind) + ", not a weight file") +
          std::string(": neither safetensors nor a file of torch.save") +
          (kind == file::FileKind::onnx
               ? "; give the PyTorch weights (.pth) that it was exported from: an export has the network's "
                 "layers fused, and their tensors without their names. fast-reid and torchreid keep them "
                 "in the training's output folder"
               : ""));
}

}  // namespace

WeightsFile read_weights_file(const fs::path& file, const std::string& key) {
  WeightsFile weights;
  bool has_key = key.empty();
  weights.file = file;
  file::BinaryFile source(file);
  if (is_torch_file(source)) {
    auto read = read_torch_file(file, key);
    has_key = has_key || read.has_key;
    weights.unknown = std::move(read.unknown);
    weights.format = std::move(read.format);
    weights.choice = std::move(read.choice);
    weights.dictionary = std::move(read.dictionary);
    weights.beside = std::move(read.beside);
    weights.content = std::move(read.content);
  } else if (is_safetensors(source)) {
    weights.format = "safetensors";
    weights.content = file::read_safetensors(file);
    file::verify_checksum(file, weights.content);
  } else {
    refuse(file);
  }
  if (weights.content.tensors.empty()) throw DataError(file, "contains no tensors");
  if (!has_key) select(weights, key);
  return weights;
}

}  // namespace kindred::weights
