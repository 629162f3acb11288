// What a network looks at: pictures of its activations.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/sample.h"
#include "kindred/nn/activations.h"
#include "kindred/role/dataset.h"
#include "model/map_watch.h"
#include "model/model.h"
#include "model/population.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "system/ranks.h"

namespace kindred::inference {

/// Computes maps [N, h, w] of images: 32-bit floats on the CPU from 0 to 1, 0 everywhere where nothing stands
/// out. Always in 32 bits, whatever embed.precision says.
class ActivationMaps {
 public:
  /// @param model in evaluation mode, with its watch; both outlive this. Moved to `device`.
  ActivationMaps(model::Model& model, model::MapWatch& watch, torch::Device device);

  /// The energy of the last features as maps: the sum of the squares over the channels, divided by its
  /// length. Those of several branches are scaled to the size of the largest and added. (torchreid's
  /// visactmap does the same for one map.)
  /// @param images [N, 3, H, W] with what the model uses beside them (model/population.h)
  [[nodiscard]] torch::Tensor energy(const Activations& images);

  /// What makes images similar to one of them: Grad-CAM (Selvaraju et al., ICCV 2017, eq. 1 and 2) of the
  /// cosine similarity to the first image, with the lengths of the descriptors held fixed. So, where a
  /// descriptor is linear in the maps, the mean of the values before the ReLU is the similarity (Stylianou et
  /// al., WACV 2019, but for a factor). Of a channel the weight is the sum of the gradient over the map: maps
  /// of several branches count as they contribute.
  /// @param images [1 + N, 3, H, W]: a query and what is compared with it
  /// Of tokens those of the grid count.
  /// @return maps of the N others
  [[nodiscard]] torch::Tensor similarity_to_first(const Activations& images);

 private:
  model::Model& model_;
  model::MapWatch& watch_;
  torch::Device device_;
};

/// An 8-bit RGB image with a map over it, stretched to its size: blue where it is low, red where it is high.
/// @param map [h, w], from 0 to 1, on the CPU
/// @param image_share how much of the image is seen, from 0 to 1
[[nodiscard]] cv::Mat overlay(const cv::Mat& image, const torch::Tensor& map, double image_share = 0.5);

/// A model file that is read for its maps.
class MapModel {
 public:
  /// Throws as read_model_file().
  MapModel(const std::filesystem::path& file, const Catalog& catalog,
           const std::vector<std::string>& overrides);

  [[nodiscard]] const recipe::ModelPlan& plan() const { return plan_; }
  [[nodiscard]] const model::Population& population() const { return model_->population(); }
  /// model::Model::find_datasets_in_paths()
  void find_datasets_in_paths() { model_->find_datasets_in_paths(); }
  /// Throws DataError as model::Model::require_known().
  void require_known(const std::vector<Sample>& samples) const { model_->require_known(samples); }
  [[nodiscard]] ActivationMaps maps(torch::Device device) { return {*model_, watch_, device}; }

 private:
  model::MapWatch watch_;
  recipe::ModelPlan plan_;
  std::shared_ptr<model::Model> model_;
};

/// Writes DIR/PATH.jpg for each sample: the image, its energy map, and the one over the other, side by side,
/// at most 512 pixels high. PATH is the sample's, with '_' for ".." and without a leading '/'; ".jpg" is not
/// doubled. Images that cannot be read are errors or left out, as the plan's loader says.
/// @param ranks each of which calls this with the same samples and draws some of them
void write_energy_maps(MapModel& model, const Dataset& dataset, const std::vector<Sample>& samples,
                       const std::filesystem::path& folder, torch::Device device,
                       progress::ProgressSink& progress, const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::inference
