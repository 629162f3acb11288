#include "training/weight_average.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>

#include <algorithm>

namespace kindred::training {

WeightAverage::WeightAverage(const torch::nn::Module& module, double decay)
    : decay_(decay), tensors_(module.parameters()) {
  for (auto& buffer : module.buffers()) tensors_.push_back(buffer);
  const auto others = std::stable_partition(tensors_.begin(), tensors_.end(),
                                            [](const auto& tensor) { return tensor.is_floating_point(); });
  floating_ = static_cast<std::size_t>(others - tensors_.begin());
  for (const auto& tensor : tensors_) averages_.push_back(tensor.detach().clone());
}

void WeightAverage::update() {
  const torch::NoGradGuard no_grad;
  const auto steps = static_cast<double>(steps_);
  const double decay = std::min(decay_, (1 + steps) / (10 + steps));
  const torch::TensorList averages(averages_.data(), floating_);
  at::_foreach_mul_(averages, decay);
  at::_foreach_add_(averages, torch::TensorList(tensors_.data(), floating_), 1 - decay);
  for (auto i = floating_; i < tensors_.size(); ++i) averages_[i].copy_(tensors_[i]);
  ++steps_;
}

WeightAverage::InPlace::InPlace(const WeightAverage& average) : tensors_(average.tensors_) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    kept_.push_back(tensors_[i].detach());
    tensors_[i].set_data(average.averages_[i]);
  }
}

WeightAverage::InPlace::~InPlace() {
  for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].set_data(kept_[i]);
}

}  // namespace kindred::training
