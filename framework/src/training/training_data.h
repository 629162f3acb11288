// The images of a training and their classes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/cached_dataset.h"
#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "recipe/plan.h"

namespace kindred::training {

/// Query and gallery of one data set.
struct TestSet {
  std::string name;  ///< "" when the recipe has one data set alone
  std::string id;    ///< what errors call it: "dataset/market1501"
  std::vector<Sample> query;
  std::vector<Sample> gallery;
};

struct TrainingData {
  std::unique_ptr<Dataset> dataset;
  const data::CachedDataset* cache = nullptr;  ///< `dataset`, when it keeps images in memory
  std::vector<Sample> samples;                 ///< the split "train", in the data set's order
  std::vector<std::int64_t>
      labels;  ///< for each of them its class: the place of its identity among all, ascending
  std::int64_t identities = 0;
  std::vector<TestSet> test_sets;  ///< one for each data set that is evaluated, in the recipe's order
  /// The number of training images, and a checksum of all that is known of them but their clothes.
  std::string fingerprint;
};

/// Throws RecipeError when loader.cache_mib is more than the machine has for its ranks, and ComponentError
/// naming the data set when one that is trained on has no training images, when there are fewer than two
/// identities, or one that is not known.
/// @param ranks_here of this machine, each of which keeps images of its own in memory
[[nodiscard]] TrainingData load_training_data(const recipe::Plan& plan, std::int64_t ranks_here = 1);

/// What decides the score of a model in the evaluations of a training, as TOML: train.best_by, [evaluate],
/// [[metric]], how features are extracted, and what is known of the images. Where one of them differs, two
/// scores cannot be compared.
[[nodiscard]] std::string evaluation_identity(const recipe::Plan& plan, const TrainingData& data);

}  // namespace kindred::training
