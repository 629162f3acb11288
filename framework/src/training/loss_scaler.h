// Dynamic loss scaling: small gradients are kept from vanishing in 16-bit floating point.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace kindred::training {

/// The loss is multiplied by a scale before the backward pass and gradients are divided by it after. A step
/// whose gradients are not finite is left out and halves the scale; 2000 good ones in a row double it
/// (Micikevicius et al., Mixed Precision Training, ICLR 2018, section 3.2). Scales are powers of two, by
/// which nothing is rounded.
class LossScaler {
 public:
  [[nodiscard]] double scale() const { return scale_; }

  /// Divides gradients by the scale, in place.
  void unscale(const std::vector<torch::Tensor>& gradients) const;

  /// Learns whether the gradients of a step were finite. Throws Error when the scale has become so small that
  /// it is the network that is broken, not the scale that is too large.
  void update(bool finite);

  /// [scale, good steps in a row], float64.
  [[nodiscard]] torch::Tensor state() const;
  /// False when the tensor is not such a state.
  [[nodiscard]] bool restore(const torch::Tensor& state);

 private:
  double scale_ = 65536;
  std::int64_t good_steps_ = 0;
};

}  // namespace kindred::training
