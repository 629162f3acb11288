// An exponential moving average of a model's weights.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace kindred::training {

/// After each step: average = d average + (1 - d) weights, with d = min(decay, (1 + n) / (10 + n)) and n the
/// steps before this one, so that the random weights of the beginning do not linger (as TensorFlow's
/// ExponentialMovingAverage; Tarvainen, Valpola: Mean teachers, NeurIPS 2017, eq. (2) with d = decay).
/// Statistics of batch normalization are averaged as weights are; buffers of whole numbers are copied.
class WeightAverage {
 public:
  /// Begins with the module's weights as they are.
  WeightAverage(const torch::nn::Module& module, double decay);

  void update();

  /// While it lives, the module holds the average; afterwards it is as it was, to the last bit.
  class InPlace {
   public:
    explicit InPlace(const WeightAverage& average);
    ~InPlace();
    InPlace(const InPlace&) = delete;
    InPlace& operator=(const InPlace&) = delete;

   private:
    std::vector<torch::Tensor> tensors_;
    std::vector<torch::Tensor> kept_;
  };

  [[nodiscard]] std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  double decay_;
  std::int64_t steps_ = 0;
  std::vector<torch::Tensor> tensors_;   // the module's, floating point first
  std::vector<torch::Tensor> averages_;  // in the same order
  std::size_t floating_ = 0;             // how many are floating point
};

}  // namespace kindred::training
