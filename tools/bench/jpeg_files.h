// JPEG files to load again and again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"

namespace kindred::bench {

/// A folder that is gone at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// JPEGs below a folder, `most` of them taken evenly. Throws DataError when there are none.
[[nodiscard]] std::vector<std::filesystem::path> jpegs_of(const std::filesystem::path& folder,
                                                          std::int64_t most);

/// Writes synthetic people as JPEGs of quality 95 into a folder. Throws PluginError without the plugin.
[[nodiscard]] std::vector<std::filesystem::path> write_synthetic_jpegs(const std::filesystem::path& folder,
                                                                       std::int64_t images,
                                                                       std::int64_t height,
                                                                       std::int64_t width,
                                                                       const Catalog& catalog);

/// The files as a data set whose images are read anew each time.
class JpegDataset final : public Dataset {
 public:
  explicit JpegDataset(std::vector<std::filesystem::path> files);
  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;

 private:
  std::vector<Sample> samples_;
};

}  // namespace kindred::bench
