// Images -> descriptors, by a model in evaluation mode.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "file/feature_files.h"
#include "inference/batch_describer.h"
#include "kindred/core/error.h"
#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "model/model.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "system/precision.h"
#include "system/ranks.h"

namespace kindred::inference {

/// None of the images that features are extracted from can be read.
class NoReadableImages : public DataError {
 public:
  /// @param what that they are, as for FeatureExtraction::extract()
  /// @param first what is wrong with the first of them; "" where that is not known
  NoReadableImages(const std::string& what, const std::string& first)
      : DataError(what, "no images can be read" + (first.empty() ? "" : "; the first: " + first)),
        first_(first) {}

  [[nodiscard]] const std::string& first() const { return first_; }

 private:
  std::string first_;
};

/// Describes samples with a model in evaluation mode, one set after the other: query, gallery, ...
class FeatureExtraction {
 public:
  /// Moves the model to the device and leaves it there. Until the end of this it is in evaluation mode, and
  /// its weights must not change.
  /// @param model, plan live as long as this
  /// @param images that extract() will be asked for in all, about
  FeatureExtraction(model::Model& model, const recipe::ExtractionPlan& plan,
                    const system::Computing& computing, std::size_t images);
  /// Puts the model back into the mode (training or evaluation) in which it was.
  ~FeatureExtraction();
  FeatureExtraction(const FeatureExtraction&) = delete;
  FeatureExtraction& operator=(const FeatureExtraction&) = delete;

  /// With the plan's preprocessing (the augmentations that run at test time). With embed.flip_test each
  /// descriptor is the sum of that of the image and that of its mirror image, mirrored after the
  /// preprocessing. Rows are of length 1, in the order of the samples. A tracklet has one row, in the place
  /// of the first of its samples and under its first frame's path: the mean of the descriptors of
  /// embed.frames of its frames, taken evenly, scaled to length 1. Images that are bad and skipped are left
  /// out of the result, and of the mean of a tracklet, and counted in a note. Memory beside the model: the
  /// result and the loader's batches. Throws NoReadableImages when all are bad; DataError when there is no
  /// sample, for a descriptor that is not finite, naming the image, and as data::sample_of_tracklet() does.
  /// @param samples of one split
  /// @param what "query", "gallery", ...: for progress and messages
  /// @param ranks each of which calls this with the same samples and works on some of the batches that one
  ///              process would make. All have the result, with the bits of one process; their memory is
  ///              twice the result, and a row for each frame of a tracklet
  [[nodiscard]] file::Features extract(const Dataset& dataset, const std::vector<Sample>& samples,
                                       const std::string& what, progress::ProgressSink& progress,
                                       const system::Ranks& ranks = system::Ranks::alone());

 private:
  model::Model& model_;
  const recipe::ExtractionPlan& plan_;
  system::Computing computing_;
  bool was_training_;
  BatchDescriber describer_;
  bool says_why_not_fused_ = true;
};

/// A FeatureExtraction of one set.
[[nodiscard]] file::Features extract_features(model::Model& model, const recipe::ExtractionPlan& plan,
                                              const Dataset& dataset, const std::vector<Sample>& samples,
                                              const std::string& what, const system::Computing& computing,
                                              progress::ProgressSink& progress);

/// The precision in which a plan's model is described on a device: embed.precision; of 'trained',
/// train.precision, or fp32 where the device cannot compute in that. Throws Error when the device cannot
/// compute in what is asked for by name.
/// @param ranks each of which calls this with its own device: all have the same precision, for which each
///              device counts
[[nodiscard]] system::Precision inference_precision(const recipe::InferencePlan& plan, torch::Device device,
                                                    const system::Ranks& ranks = system::Ranks::alone());

/// Notes a precision that is not the one of the training.
/// @param ranks each of which calls this
void note_inference_precision(const recipe::InferencePlan& plan, const system::Computing& used,
                              progress::ProgressSink& progress,
                              const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::inference
