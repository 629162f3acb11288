// A model at work on images that lie in memory: what extracting features and training take of it, without
// reading a file.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "inference/batch_describer.h"
#include "kindred/nn/activations.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "speed/network_work.h"
#include "speed/turns.h"
#include "system/precision.h"
#include "training/trainer.h"

namespace kindred::speed {

struct BatchShape {
  std::int64_t images = 16;  ///< 2 at least for a training
  std::int64_t height = 256;
  std::int64_t width = 128;
};

/// A batch of the shape that a plan's augmentations give. Throws Error when that depends on the data.
[[nodiscard]] BatchShape batch_shape(const recipe::ExtractionPlan& plan, std::int64_t images,
                                     bool at_test_time);

/// Random pixels, normalized, on the CPU, with cameras and views of the population in turns. The same every
/// time.
[[nodiscard]] Activations synthetic_batch(const BatchShape& shape, const model::Population& population);

/// Extracts features of a batch again and again, as `kindred embed` does with batches of the loader.
class EmbedSteps final : public Contestant {
 public:
  /// @param model put into evaluation mode and on the device
  EmbedSteps(std::shared_ptr<model::Model> model, const recipe::InferencePlan& plan, const BatchShape& shape,
             const system::Computing& computing);
  [[nodiscard]] std::string name() const override { return "Kindred"; }
  [[nodiscard]] double run(std::int64_t steps) override;
  /// What one step computes, operation by operation as the model says it.
  [[nodiscard]] NetworkWork work();

 private:
  void step();

  std::shared_ptr<model::Model> model_;
  int passes_;
  system::Computing computing_;
  Activations images_;
  inference::BatchDescriber describer_;
};

/// Trains with a batch again and again, as `kindred run` does with batches of the loader: Trainer::step().
/// Its identities have four images each, or fewer in a batch of less than eight. The learning rate is a
/// hundredth of the recipe's, for what is learned from noise must stay finite.
class TrainSteps final : public Contestant {
 public:
  /// Throws as Trainer does.
  /// @param plan its train.precision is one that the device can compute in
  TrainSteps(const recipe::Plan& plan, std::shared_ptr<model::Model> model, const BatchShape& shape,
             torch::Device device);
  [[nodiscard]] std::string name() const override { return "Kindred"; }
  [[nodiscard]] double run(std::int64_t steps) override;
  /// What one step computes, forwards and backwards.
  [[nodiscard]] NetworkWork work();
  /// As it stands.
  [[nodiscard]] training::Trainer& trainer() { return trainer_; }

 private:
  void step();

  torch::Device device_;
  training::Trainer trainer_;
  Activations images_;
  torch::Tensor labels_;
  std::int64_t batch_ = 0;
};

/// Labels [N] as TrainSteps has them: below the number of identities.
[[nodiscard]] torch::Tensor synthetic_labels(std::int64_t images, std::int64_t identities);

}  // namespace kindred::speed
