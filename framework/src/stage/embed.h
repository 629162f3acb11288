// Stage "embed": images -> descriptors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "file/feature_files.h"
#include "model/model.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "system/ranks.h"

namespace kindred::stage {

/// What embed_dataset() has written.
struct EmbeddedSplit {
  Split split = Split::gallery;
  std::filesystem::path stem;  ///< STEM.npy and STEM.csv
  std::int64_t images = 0;     ///< descriptors: a tracklet counts once
  std::int64_t dim = 0;
  std::string storage;  ///< "float32", or "float16, cosines to 0.00056"
  file::StorageLoss loss;
};

/// Describes query and gallery images among the samples, and training images when asked, each that there are,
/// into FOLDER/query.npy and .csv, gallery.npy and .csv, train.npy and .csv, in place of those of an earlier
/// call, as embed.storage and embed.shard_images say; what fewer bits change is told in a note, and a
/// precision other than that of the training too. Throws Error when it has none of them.
/// @param samples of the data set, all or some
/// @param ranks each of which calls this with the same arguments and works on a share of the images; rank 0
///              writes, to the same bytes as one process
[[nodiscard]] std::vector<EmbeddedSplit> embed_dataset(model::Model& model, const recipe::InferencePlan& plan,
                                                       const Dataset& dataset,
                                                       const std::vector<Sample>& samples,
                                                       const std::filesystem::path& folder,
                                                       torch::Device device, progress::ProgressSink& progress,
                                                       bool with_training_images = false,
                                                       const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::stage
