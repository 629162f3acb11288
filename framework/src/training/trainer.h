// One training step after another: forward, losses, backward, optimisers.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "file/safetensors.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "training/loss_meter.h"

namespace kindred {

/// The model, its losses and their optimisers on a device.
class Trainer {
 public:
  /// Builds everything but the model from the plan; what losses hold depends on the plan's seed alone.
  Trainer(const Plan& plan, std::shared_ptr<Model> model, std::int64_t identities, torch::Device device);

  /// Learns from one batch. Throws Error when the loss is not finite any more (LossMeter::add) or the GPU's
  /// memory does not suffice.
  /// @param images [N, 3, H, W], 32-bit floats, on the CPU
  /// @param labels [N], int64, on the CPU
  /// @param factor the schedule's: each learning rate is the optimiser's times this
  void step(const torch::Tensor& images, const torch::Tensor& labels, std::int64_t epoch, std::int64_t batch,
            double factor);

  [[nodiscard]] Model& model() { return *model_; }
  [[nodiscard]] LossMeter& meter() { return meter_; }
  [[nodiscard]] const LossMeter& meter() const { return meter_; }
  /// Of the last step.
  [[nodiscard]] double learning_rate() const { return learning_rate_; }

  /// Everything that the next steps depend on, the random generators' states too. Waits for the device;
  /// throws Error when the loss, a weight or a statistic is not finite any more: such a state is never kept.
  [[nodiscard]] TensorFile state();
  /// Goes back to a state. Throws DataError naming `file` when it does not fit.
  void restore(const TensorFile& state, const std::filesystem::path& file);

 private:
  struct OwnOptimizer {
    std::unique_ptr<torch::optim::Optimizer> optimizer;
    double weight;  ///< of the term; its gradients are divided by it
  };
  void compute(const torch::Tensor& images, const torch::Tensor& labels, std::int64_t epoch,
               std::int64_t batch);
  void clear_gradients();
  [[nodiscard]] std::vector<torch::optim::Optimizer*> optimizers() const;

  torch::Device device_;
  std::shared_ptr<Model> model_;
  std::vector<LossTerm> terms_;
  std::unique_ptr<Optimizer> recipe_optimizer_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::vector<OwnOptimizer> own_optimizers_;
  LossMeter meter_;
  double learning_rate_ = 0;
};

}  // namespace kindred
