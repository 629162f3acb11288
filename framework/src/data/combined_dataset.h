// The data sets of a recipe with several, as one.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kindred/role/dataset.h"

namespace kindred::data {

/// The samples of each data set, one data set after the other, their paths and the names of their tracklets
/// headed by the data set's prefix.
/// Of several data sets, identities and cameras are numbered anew, each data set's after those of the ones
/// before and in its own order, so that no two data sets share one; junk, unlabeled images and unknown
/// cameras stay what they are. Of a single one they are as it says.
class CombinedDataset final : public Dataset {
 public:
  struct Part {
    std::unique_ptr<Dataset> dataset;
    std::string prefix;      ///< "NAME/"; different for each
    bool trained_on = true;  ///< else it has no training split
  };

  explicit CombinedDataset(std::vector<Part> parts);

  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;

 private:
  struct Source {
    const Dataset* dataset;
    Sample sample;  ///< as that data set has it
  };

  std::vector<Part> parts_;
  std::vector<Sample> samples_;
  std::unordered_map<std::string, Source> sources_;  ///< by path
};

}  // namespace kindred::data
