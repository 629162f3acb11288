// Gradients of several ranks, added up while the backward pass is still under way: Li et al., "PyTorch
// Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "system/ranks.h"

namespace kindred::training {

/// The sum over all ranks of the gradients of parameters. They are sent in buckets of about 25 MiB, each as
/// soon as all its gradients are there.
class GradientSums {
 public:
  /// @param parameters that learn, the same on all ranks, in the order in which the network computes
  GradientSums(const system::Ranks& ranks, const std::vector<torch::Tensor>& parameters);
  ~GradientSums();
  GradientSums(const GradientSums&) = delete;
  GradientSums& operator=(const GradientSums&) = delete;

  /// Before a backward pass that gives each parameter its gradient at most once.
  void start();
  /// After it, or instead of start() after any number of passes: each gradient is the sum over all ranks. A
  /// parameter without a gradient on all ranks has none.
  void finish();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kindred::training
