// A data set whose training split has pseudo-labeled images as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kindred/role/dataset.h"

namespace kindred::data {

/// The samples of a data set, and behind them those that join its training split: with new identities, which
/// follow the largest of the training split in the order of the parts, each part's own identities kept apart.
/// An image that joins stays in its old split, too. It keeps its path, except that those of a data set of
/// their own are called "pseudo1/PATH", after the part's place among all, from 1. Its camera and view are
/// what its data set says, its domain what the label says. A label with a tracklet is of all its frames;
/// without one it is of the image alone, also where that is a frame.
class JoinedDataset final : public Dataset {
 public:
  struct Part {
    std::filesystem::path file;        ///< where the labels were read: for messages
    std::vector<Sample> samples;       ///< as the labels' file has them
    std::unique_ptr<Dataset> dataset;  ///< nullptr: the one that is joined
  };

  /// Throws DataError naming file and image when a labeled image is not in its data set, has no identity, is
  /// of the training split already, is not the first frame of the tracklet that its label names, or is
  /// labeled twice; and when a file labels nothing.
  JoinedDataset(std::unique_ptr<Dataset> base, std::vector<Part> parts);

  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;

 private:
  struct Source {
    const Dataset* dataset;
    Sample sample;  ///< as that data set has it
  };

  void join(const Part& part, std::size_t number, std::int64_t first_identity);

  std::unique_ptr<Dataset> base_;
  std::vector<Part> parts_;
  std::vector<Sample> samples_;
  std::unordered_map<std::string, Source> joined_;  ///< by the path of the image in the training split
};

}  // namespace kindred::data
