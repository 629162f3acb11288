// From a loss to changed weights: backward pass, loss scaling, clipping, optimizers.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "file/safetensors.h"
#include "training/loss_scaler.h"

namespace kindred::training {

/// The optimizer of a loss's own.
struct OwnOptimizer {
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  double weight;                                    ///< of the term; its gradients are divided by it
  std::string subject = "the optimizer of a loss";  ///< what errors call it
};

class WeightUpdate {
 public:
  struct Options {
    double clip_norm = 0;                   ///< of the gradient of `main`; 0: no limit
    bool scale_loss = false;                ///< for fp16
    std::string subject = "the optimizer";  ///< what errors call the main one
  };
  WeightUpdate(std::unique_ptr<torch::optim::Optimizer> main, std::vector<OwnOptimizer> own,
               const Options& options);

  /// Puts the loss's gradients in the place of those before. When the loss is scaled, waits for the device,
  /// and throws Error as LossScaler::update().
  /// @param further goes on where the loss's graph ends, before anything is made of the gradients: those that
  /// it finds, and those that it adds, are of the loss as it is scaled
  void backward(const torch::Tensor& loss, const std::function<void()>& further = {});
  /// Whether backward() found any, for any optimizer.
  [[nodiscard]] bool has_gradients() const;
  /// Of what backward() found for the main optimizer, before clipping: a scalar on the device, 0 where
  /// step() will do nothing. Undefined unless gradients are clipped.
  [[nodiscard]] const torch::Tensor& gradient_norm() const { return norm_; }
  /// Changes the weights. False when it leaves them as they are, because the scaled loss's gradients were not
  /// finite: all optimizers then leave out this step.
  bool step();

  [[nodiscard]] torch::optim::Optimizer& main() { return *main_; }
  /// Absent unless the loss is scaled.
  [[nodiscard]] std::optional<double> loss_scale() const;

  /// Adds what the next steps depend on, beside the weights and the learning rates: "optimizer.0" is the main
  /// one's.
  void add_state(file::TensorFile& state) const;
  /// Throws DataError naming `file` when such a state is missing or does not fit.
  void restore(const file::TensorFile& state, const std::filesystem::path& file, torch::Device device);

 private:
  [[nodiscard]] std::vector<torch::optim::Optimizer*> all() const;

  std::unique_ptr<torch::optim::Optimizer> main_;
  std::string subject_;
  std::vector<OwnOptimizer> own_;
  double clip_norm_;
  std::optional<LossScaler> scaler_;
  torch::Tensor norm_;
  bool finite_ = true;
};

}  // namespace kindred::training
