#include "training/weight_update.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "recipe/guarded.h"
#include "training/checkpoint.h"
#include "training/gradients.h"
#include "training/optimizer_state.h"

namespace kindred::training {
namespace {

constexpr const char* scale_name = "loss_scale";

std::string optimizer_name(std::size_t index) {
  return "optimizer." + std::to_string(index);
}

}  // namespace

WeightUpdate::WeightUpdate(std::unique_ptr<torch::optim::Optimizer> main, std::vector<OwnOptimizer> own,
                           const Options& options)
    : main_(std::move(main)), subject_(options.subject), own_(std::move(own)), clip_norm_(options.clip_norm) {
  if (options.scale_loss) scaler_.emplace();
}

void WeightUpdate::backward(const torch::Tensor& loss, const std::function<void()>& further) {
  for (auto* optimizer : all()) {
    for (auto& group : optimizer->param_groups()) {
      for (auto& parameter : group.params()) parameter.mutable_grad().reset();
    }
  }
  recipe::guarded("the backward pass of losses, head and backbone",
                  [&] { (scaler_ ? loss * scaler_->scale() : loss).backward(); });
  if (further) further();
  if (scaler_) {
    std::vector<torch::Tensor> gradients;
    for (const auto* optimizer : all()) {
      for (auto& gradient : gradients_of(*optimizer)) gradients.push_back(std::move(gradient));
    }
    scaler_->unscale(gradients);
    finite_ = torch::isfinite(training::gradient_norm(gradients)).item<bool>();
    scaler_->update(finite_);
  }
  if (clip_norm_ > 0) {
    norm_ = training::gradient_norm(gradients_of(*main_));
    if (!finite_) norm_.zero_();
  }
}

bool WeightUpdate::has_gradients() const {
  const auto optimizers = all();
  return std::any_of(optimizers.begin(), optimizers.end(),
                     [](const auto* optimizer) { return !gradients_of(*optimizer).empty(); });
}

bool WeightUpdate::step() {
  if (!finite_) return false;
  if (clip_norm_ > 0) clip_gradients(gradients_of(*main_), norm_, clip_norm_);
  recipe::guarded(subject_, [&] { main_->step(); });
  for (auto& own : own_) {
    const torch::NoGradGuard no_grad;
    for (auto& gradient : gradients_of(*own.optimizer)) gradient.div_(own.weight);
    recipe::guarded(own.subject, [&] { own.optimizer->step(); });
  }
  return true;
}

std::optional<double> WeightUpdate::loss_scale() const {
  return scaler_ ? std::optional(scaler_->scale()) : std::nullopt;
}

std::vector<torch::optim::Optimizer*> WeightUpdate::all() const {
  std::vector<torch::optim::Optimizer*> all{main_.get()};
  for (const auto& own : own_) all.push_back(own.optimizer.get());
  return all;
}

void WeightUpdate::add_state(file::TensorFile& state) const {
  recipe::guarded(subject_, [&] { add_optimizer_state(state, optimizer_name(0), *main_); });
  for (std::size_t i = 0; i < own_.size(); ++i) {
    recipe::guarded(own_[i].subject,
                    [&] { add_optimizer_state(state, optimizer_name(i + 1), *own_[i].optimizer); });
  }
  if (scaler_) state.tensors.emplace_back(scale_name, scaler_->state());
}

void WeightUpdate::restore(const file::TensorFile& state, const std::filesystem::path& file,
                           torch::Device device) {
  const auto optimizers = all();
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    restore_optimizer_state(*optimizers[i], state, optimizer_name(i), file, device);
  }
  if (scaler_ && !scaler_->restore(state_tensor(state, scale_name, file))) {
    throw DataError(file, "is not a checkpoint of this training: its loss scale is invalid");
  }
}

}  // namespace kindred::training
