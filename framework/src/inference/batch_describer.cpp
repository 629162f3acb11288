#include "inference/batch_describer.h"

#include <torch/torch.h>

#include "model/population.h"
#include "system/device.h"

namespace kindred::inference {

BatchDescriber::BatchDescriber(model::Model& model, bool flip_test, const system::Computing& computing)
    : model_(model), flip_test_(flip_test), computing_(computing) {}

torch::Tensor BatchDescriber::describe(const Activations& images) {
  const torch::NoGradGuard no_gradients;
  const system::Autocast autocast(computing_);
  const auto placed = model::placed(images, computing_.device);
  if (!network_) network_.emplace(model_, placed, computing_);
  const auto rows = network_->describe(placed);
  if (!flip_test_) return rows;
  const auto pixels = placed.values.flip({3});
  const auto mirrored = network_->describe(placed.with(system::place_images(pixels, pixels.device())));
  return torch::nn::functional::normalize(rows + mirrored,
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

}  // namespace kindred::inference
