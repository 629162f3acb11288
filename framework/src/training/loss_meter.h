// Follows the losses and gradients of an epoch: their means, and whether they are still numbers.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "file/safetensors.h"

namespace kindred::training {

class LossMeter {
 public:
  /// @param names of the terms
  /// @param interval steps that are looked at together. Reading a value of a GPU waits for it: there, 16 or
  /// so keep it busy, on the CPU 1 finds a bad loss before it does harm.
  /// @param with_gradient_norm whether steps have the norm of the gradient too
  /// @param figures names of further values, which need not be finite: steps without them do not count in
  /// their means
  LossMeter(std::vector<std::string> names, std::int64_t interval, bool with_gradient_norm = false,
            std::vector<std::string> figures = {});

  /// Takes the values of a step, float32: the terms without their weights, their weighted sum, where asked
  /// for, the gradient's norm, and the figures. Throws Error, now or up to `interval` steps later, when a
  /// loss or the norm is not finite: it says the epoch, the batch, the terms, the learning rate and what to
  /// look at.
  void add(const torch::Tensor& values, std::int64_t epoch, std::int64_t batch, double learning_rate);
  /// Looks at all steps taken. Throws as add() does.
  void flush();

  /// "loss" and, when there are several, each term under "loss/NAME", "gradient_norm", and the figures: means
  /// of the steps looked at, empty when there are none. A figure that no step had is left out.
  [[nodiscard]] std::map<std::string, double> means() const;
  void clear();

  /// After flush(): the sum of each value so far, the steps that had each figure, and the number of steps,
  /// float64.
  [[nodiscard]] torch::Tensor state() const;
  /// False, and nothing changes, when the tensor is not such a state.
  [[nodiscard]] bool restore(const torch::Tensor& state);

 private:
  struct Step {
    torch::Tensor values;
    std::int64_t epoch;
    std::int64_t batch;
    double learning_rate;
  };
  void look_at(const Step& step, const float* values);

  std::vector<std::string> names_;
  std::int64_t interval_;
  bool with_gradient_norm_;
  std::vector<std::string> figures_;
  std::vector<Step> pending_;
  std::vector<double> sums_;    // terms, their sum, maybe the norm, figures
  std::vector<double> counts_;  // steps that had each figure
  std::int64_t steps_ = 0;
};

}  // namespace kindred::training
