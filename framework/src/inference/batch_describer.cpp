#include "inference/batch_describer.h"

#include <torch/torch.h>

#include "model/population.h"
#include "system/device.h"

namespace kindred::inference {
namespace {

/// Below, the model itself is sooner done: making the graph and comparing it takes the time that it saves
/// with one to three thousand images (docs/benchmarks.md, "What an embedding batch costs").
constexpr std::int64_t fewest_images_of_a_graph = 2000;

}  // namespace

BatchDescriber::BatchDescriber(model::Model& model, bool flip_test, const system::Computing& computing,
                               const Workload& workload)
    : model_(model), flip_test_(flip_test), computing_(computing), workload_(workload) {}

torch::Tensor BatchDescriber::rows_of(const Activations& placed) {
  if (workload_.images < fewest_images_of_a_graph) return model_.describe(placed);
  if (!network_) network_.emplace(model_, placed, computing_, workload_.batch);
  return network_->describe(placed);
}

torch::Tensor BatchDescriber::describe(const Activations& images) {
  const torch::NoGradGuard no_gradients;
  const system::Autocast autocast(computing_);
  const auto placed = model::placed(images, computing_.device);
  const auto rows = rows_of(placed);
  if (!flip_test_) return rows;
  const auto pixels = placed.values.flip({3});
  const auto mirrored = rows_of(placed.with(system::place_images(pixels, pixels.device())));
  return torch::nn::functional::normalize(rows + mirrored,
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

}  // namespace kindred::inference
