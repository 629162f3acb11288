// A data set that keeps decoded images in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "kindred/role/dataset.h"

namespace kindred::data {

/// The images of another data set, each decoded once as long as there is room: those that are asked for first
/// are kept until the end. An epoch asks for each image once, so that to let go of the oldest would keep none
/// of them until it is asked for again.
class CachedDataset final : public Dataset {
 public:
  /// @param bytes of pixels that are kept at most
  CachedDataset(std::unique_ptr<Dataset> decoding, std::int64_t bytes);

  [[nodiscard]] std::vector<Sample> samples() const override { return decoding_->samples(); }
  /// Who changes the pixels has to copy them before.
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;

  struct Kept {
    std::int64_t images;
    std::int64_t bytes;
    bool all;  ///< of the images that were asked for
  };
  [[nodiscard]] Kept kept() const;

 private:
  std::unique_ptr<Dataset> decoding_;
  std::int64_t limit_;
  mutable std::mutex mutex_;                                 // guards all that follows
  mutable std::unordered_map<std::string, cv::Mat> images_;  // by path
  mutable std::int64_t bytes_ = 0;
  mutable bool full_ = false;
};

}  // namespace kindred::data
