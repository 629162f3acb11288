// One training step after another: forward, losses, backward, optimizers.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "file/safetensors.h"
#include "kindred/nn/activations.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "system/kept_memory.h"
#include "system/ranks.h"
#include "training/batch_parts.h"
#include "training/gradient_sums.h"
#include "training/learning_groups.h"
#include "training/loss_meter.h"
#include "training/synced_batch_norm.h"
#include "training/teachers.h"
#include "training/weight_average.h"
#include "training/weight_update.h"

namespace kindred::training {

/// Whom a batch shows. On the CPU.
struct BatchLabels {
  torch::Tensor classes;                   ///< [N], int64
  torch::Tensor cameras;                   ///< [N], int64, -1: unknown
  std::vector<std::int64_t> rows_by_rank;  ///< their sum is N
};

/// The model, its losses and their optimizers on a device.
class Trainer {
 public:
  /// Builds everything but the model from the plan, for the model's population; what losses hold depends on
  /// the plan's seed alone. Reads the files of teachers. Throws RecipeError as learning_groups() and as
  /// Teachers, DataError as Teachers.
  /// @param plan its train.precision has been decided on and is one that the device can compute in
  /// @param ranks those that train together, each with images of its own: a step learns from the images of
  /// all, and leaves the same weights on all
  Trainer(const recipe::Plan& plan, std::shared_ptr<model::Model> model, torch::Device device,
          const system::Ranks& ranks = system::Ranks::alone());

  /// Freezes what is frozen in this epoch (from 1) and lets learn what is not; to be called before its first
  /// step, and before its next one when the model was in evaluation mode or restored in between. Frozen
  /// parameters have no gradient. A module with running statistics (batch normalization) all of whose own
  /// parameters are frozen computes with these statistics and leaves them as they are.
  void start_epoch(std::int64_t epoch);

  /// Learns from one batch. Throws Error when the loss or, where it is clipped, the gradient is not finite
  /// any more (LossMeter::add), when nothing that the losses depend on is learned, or when memory does not
  /// suffice; ComponentFault when head or losses give something that they must not.
  /// @param images of this rank, [N, 3, H, W], 32-bit floats, on the CPU, with their cameras and views
  /// (network_input()) or without: all are unknown then
  /// @param labels of all ranks' images, those of rank 0 first
  /// @param factor the schedule's: each learning rate is the optimizer's times its group's times this
  void step(const Activations& images, const BatchLabels& labels, std::int64_t epoch, std::int64_t batch,
            double factor);
  /// Of one process alone.
  /// @param classes [N], int64, on the CPU
  void step(const Activations& images, const torch::Tensor& classes, std::int64_t epoch, std::int64_t batch,
            double factor);
  /// The learning rates of a step with this factor, as step() sets them: for an epoch that goes on where no
  /// step is left of it.
  void set_learning_rates(double factor);

  [[nodiscard]] model::Model& model() { return *model_; }
  [[nodiscard]] LossMeter& meter() { return meter_; }
  [[nodiscard]] const LossMeter& meter() const { return meter_; }
  [[nodiscard]] const std::vector<LearningGroup>& groups() const { return groups_; }
  /// The features that losses are on and that are nearly the same for all images of the last batch: whatever
  /// is learned from them, they tell nobody apart. Names of outputs.
  [[nodiscard]] std::vector<std::string> collapsed_outputs() const;
  [[nodiscard]] const std::vector<model::LossTerm>& terms() const { return terms_; }
  /// What is to be said before the training begins.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  /// Of the last step, or as set since, without the groups' factors.
  [[nodiscard]] double learning_rate() const { return learning_rate_; }
  /// In fp16.
  [[nodiscard]] std::optional<double> loss_scale() const { return update_->loss_scale(); }

  /// Averaged weights (train.ema_decay) are kept.
  [[nodiscard]] bool averages() const { return average_.has_value(); }
  /// While it lives, model() holds the averaged weights, where they are kept, else nothing happens.
  [[nodiscard]] std::unique_ptr<WeightAverage::InPlace> averaged_weights();

  /// Everything that the next steps depend on, the random generators' states of all ranks too. Waits for the
  /// device; throws Error when the loss, a weight or a statistic is not finite any more: such a state is
  /// never kept.
  [[nodiscard]] file::TensorFile state();
  /// Goes back to a state. With another number of ranks than it was left by, the random generators begin
  /// anew. Throws DataError naming `file` when it does not fit.
  void restore(const file::TensorFile& state, const std::filesystem::path& file);

 private:
  /// A module with running statistics.
  struct Statistics {
    std::shared_ptr<torch::nn::Module> module;
    std::int64_t frozen_epochs;
  };
  void make_update(const recipe::Plan& plan, std::vector<std::unique_ptr<torch::optim::Optimizer>> own);
  void find_statistics();
  /// Training mode, but for statistics that are frozen in this epoch.
  void set_modes();
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& images, std::int64_t epoch,
                                                   std::int64_t batch, std::size_t part);
  /// Of each teacher, for all parts of a batch joined.
  [[nodiscard]] std::vector<torch::Tensor> teachers_outputs(const Activations& images,
                                                            const std::vector<BatchRows>& parts);
  void compute(const Activations& images, const BatchLabels& labels, std::int64_t epoch, std::int64_t batch);
  /// Statistics that normalizations keep, whose mean over the ranks is under way.
  struct AveragedStatistics;
  [[nodiscard]] AveragedStatistics begin_average_of_statistics() const;

  system::KeptMemory kept_memory_;  // first, so that it ends when all else is free
  const system::Ranks& ranks_;
  torch::Device device_;
  system::Precision precision_;
  bool clips_;
  std::int64_t accumulate_;
  std::shared_ptr<model::Model> model_;
  std::vector<std::string> notes_;
  Teachers teachers_;
  std::vector<OutputInfo> outputs_;  // of the model, then of the teachers
  std::vector<model::LossTerm> terms_;
  bool needs_pairs_;
  std::vector<torch::Tensor> last_outputs_;
  std::unique_ptr<Optimizer> recipe_optimizer_;
  std::vector<LearningGroup> groups_;
  std::vector<double> rate_factors_;  // of each group of the optimizer
  std::vector<Statistics> statistics_;
  std::unique_ptr<WeightUpdate> update_;
  std::unique_ptr<GradientSums> gradient_sums_;  // of an epoch, where ranks are many
  std::optional<SyncedBatchNorm> synced_;
  std::optional<WeightAverage> average_;
  LossMeter meter_;
  std::int64_t epoch_ = 1;
  double learning_rate_ = 0;
};

}  // namespace kindred::training
