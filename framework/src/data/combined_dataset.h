// The data sets of a recipe with several, as one.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kindred/role/dataset.h"

namespace kindred::data {

/// How cameras are numbered where there are several data sets.
enum class Cameras {
  of_each,  ///< as each data set says: two may have one number, and the path says of which it is
  apart,    ///< keep_cameras_apart()
};

/// Numbers cameras anew so that no two data sets share one: those of each data set after those of the ones
/// before, and in its own order. Unknown cameras stay what they are.
/// @param samples of several data sets, whose names head their paths
void keep_cameras_apart(std::vector<Sample>& samples);

/// The samples of each data set, one data set after the other, their paths and the names of their tracklets
/// headed by the data set's prefix.
/// Of several data sets identities are numbered anew, so that no two data sets share one: those of the
/// training splits first, then the others, each data set's in its own order, and after those of the data sets
/// before, of which those that are not trained on come last. So what is tested on has no effect on the
/// numbers of what is trained on. Junk and unlabeled images stay what they are, and each distractor
/// (data/distractors.h), an image or a tracklet, gets a number of its own after all others: two are not one
/// person. Of a single data set identities are as it says.
class CombinedDataset final : public Dataset {
 public:
  struct Part {
    std::unique_ptr<Dataset> dataset;
    std::string prefix;      ///< "NAME/"; different for each
    bool trained_on = true;  ///< else it has no training split
  };

  explicit CombinedDataset(std::vector<Part> parts, Cameras cameras = Cameras::of_each);

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
