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

namespace kindred::stage {

/// Describes samples with a model in evaluation mode, with the plan's preprocessing (the augmentations that
/// run at test time). With embed.flip_test each descriptor is the sum of that of the image and that of its
/// mirror image, mirrored after the preprocessing. Rows are of length 1, in the order of the samples. The
/// model is moved to `device` and left there, in the mode (training or evaluation) in which it was. Images
/// that are bad and skipped are left out of the result and counted in a note. Memory beside the model: the
/// result and the loader's batches. Computes in inference_precision(). Throws DataError when there is no
/// sample, when all images are bad, and for a descriptor that is not finite, naming the image.
/// @param what "query", "gallery", ...: for progress and messages
[[nodiscard]] file::Features embed(model::Model& model, const recipe::Plan& plan, const Dataset& dataset,
                                   const std::vector<Sample>& samples, const std::string& what,
                                   torch::Device device, progress::ProgressSink& progress);

/// The precision in which a plan's model is described on a device: embed.precision; of 'trained',
/// train.precision, or fp32 where the device cannot compute in that. Throws Error when the device cannot
/// compute in what is asked for by name.
[[nodiscard]] recipe::Precision inference_precision(const recipe::Plan& plan, torch::Device device);

/// Notes a precision of describing that is not that of the training. Throws as inference_precision().
void note_inference_precision(const recipe::Plan& plan, torch::Device device,
                              progress::ProgressSink& progress);

/// What embed_dataset() has written.
struct EmbeddedSplit {
  Split split = Split::gallery;
  std::filesystem::path stem;  ///< STEM.npy and STEM.csv
  std::int64_t images = 0;
  std::int64_t dim = 0;
  std::string storage;  ///< "float32", or "float16, cosines to 0.00056"
  file::StorageLoss loss;
};

/// Describes query and gallery images among the samples, and training images when asked, each that there are,
/// into FOLDER/query.npy and .csv, gallery.npy and .csv, train.npy and .csv, in place of those of an earlier
/// call, as embed.storage says; what fewer bits change is told in a note, and a precision other than that of
/// the training too. Throws Error when it has none of them.
/// @param samples of the data set, all or some
[[nodiscard]] std::vector<EmbeddedSplit> embed_dataset(model::Model& model, const recipe::Plan& plan,
                                                       const Dataset& dataset,
                                                       const std::vector<Sample>& samples,
                                                       const std::filesystem::path& folder,
                                                       torch::Device device, progress::ProgressSink& progress,
                                                       bool with_training_images = false);

}  // namespace kindred::stage
