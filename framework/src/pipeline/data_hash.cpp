#include "pipeline/data_hash.h"

#include <algorithm>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <optional>

#include "file/sha256.h"

namespace kindred::pipeline {
namespace {

namespace fs = std::filesystem;

/// The folder that the paths of samples begin in.
std::optional<fs::path> folder_of(const recipe::Choice<Dataset>& dataset) {
  const auto parameters = dataset.resolved();
  const auto* root = parameters.as<Table>()->find("root");
  const auto* text = root == nullptr ? nullptr : root->as<std::string>();
  if (text == nullptr || text->empty()) return std::nullopt;
  const fs::path path(*text);
  return fs::is_regular_file(path) ? path.parent_path() : path;
}

std::string pixel_hash(const cv::Mat& image) {
  file::Sha256 hash;
  const int header[] = {image.rows, image.cols, image.type()};
  hash.add(header, sizeof header);
  for (int y = 0; y < image.rows; ++y) {
    hash.add(image.ptr(y), static_cast<std::size_t>(image.cols) * image.elemSize());
  }
  return hash.finish();
}

}  // namespace

std::string text_hash(const std::string& text) {
  file::Sha256 hash;
  hash.add(text.data(), text.size());
  return hash.finish();
}

std::string data_hash(const stage::StageData& data, FileHashes& files) {
  const auto dataset = data.dataset.create({});
  const auto folder = folder_of(data.dataset);
  file::Sha256 hash;
  for (const auto& sample : dataset->samples()) {
    if (std::find(data.splits.begin(), data.splits.end(), sample.split) == data.splits.end()) continue;
    std::string line = sample.path + '\0' + std::to_string(sample.identity) + '\0' +
                       std::to_string(sample.camera) + '\0' + sample.domain + '\0' + split_name(sample.split);
    if (data.pixels && folder) {
      const auto file = *folder / sample.path;
      line += '\0' + (fs::is_regular_file(file) ? files.of(file) : pixel_hash(dataset->image(sample)));
    }
    line += '\n';
    hash.add(line.data(), line.size());
  }
  return hash.finish();
}

}  // namespace kindred::pipeline
