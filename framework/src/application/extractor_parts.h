// What an Extractor is made of.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/loader.h"
#include "file/feature_files.h"
#include "inference/batch_describer.h"
#include "kindred/core/catalog.h"
#include "kindred/core/sample.h"
#include "kindred/extract.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/dataset.h"
#include "model/model_file.h"
#include "progress/progress.h"
#include "recipe/settings.h"
#include "system/precision.h"

namespace kindred::application {

class ExtractorParts {
 public:
  /// Throws as Extractor's constructor does.
  /// @param catalog has what the model needs; kept as long as this lives
  /// @param notes what is known already of what a user should know
  ExtractorParts(const ExtractorOptions& options, std::shared_ptr<const Catalog> catalog,
                 std::vector<std::string> notes);

  /// Extractor::extract()
  [[nodiscard]] cv::Mat extract(std::span<const cv::Mat> crops, std::span<const CropOrigin> origins);
  /// The same for the images of any data set, batch by batch.
  /// @param samples of one split, each an image of its own; known to the model (Model::require_known())
  /// @param rows gets [samples.size(), dim()], in the order of the samples
  /// @param progress hears of each batch
  void extract(const Dataset& dataset, const std::vector<Sample>& samples, float* rows,
               progress::ProgressSink& progress);
  /// inference::extract_features() with this model, device and precision.
  [[nodiscard]] file::Features extract_features(const Dataset& dataset, const std::vector<Sample>& samples,
                                                const std::string& what, progress::ProgressSink& progress);

  [[nodiscard]] std::int64_t dim() const { return dim_; }
  [[nodiscard]] cv::Size image_size() const { return image_size_; }
  [[nodiscard]] const recipe::MachineSettings& machine() const { return file_.plan.machine; }
  /// Of an image, as the model's recipe says.
  [[nodiscard]] std::int64_t max_pixels() const { return loading_.max_pixels; }
  [[nodiscard]] const model::Model& model() const { return *file_.model; }
  [[nodiscard]] const std::string& model_id() const { return model_id_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  using Augmentations = std::vector<std::unique_ptr<Augmentation>>;
  class Borrowed;

  /// Tries the model out: finds dim_ and image_size_.
  void probe(const std::string& file);
  /// Calls take(rows, batch) for each batch, with rows [N, D] on the CPU.
  template <class Take>
  void describe_all(const Dataset& dataset, const std::vector<Sample>& samples, Take take);
  [[nodiscard]] torch::Tensor describe(const Activations& images);

  std::shared_ptr<const Catalog> catalog_;
  std::int64_t batch_;
  model::ModelFile file_;
  std::string model_id_;
  std::vector<std::string> notes_;
  system::Computing computing_;
  data::LoaderOptions loading_;
  std::int64_t dim_ = 0;
  cv::Size image_size_;

  std::mutex pool_mutex_;  ///< guards pool_
  std::vector<Augmentations> pool_;

  std::mutex network_mutex_;  ///< guards what follows, and the model
  /// On a processor graphs are of one number of images: one for few crops, one for whole batches.
  inference::BatchDescriber single_;
  inference::BatchDescriber many_;
};

}  // namespace kindred::application
