// Stochastic depth: Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/random.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

/// In training, sets a residual branch to zero for each image by itself, with the given probability, and
/// divides what is left by the probability to stay. In evaluation it returns its input.
class KINDRED_API DropPath final : public TensorModule {
 public:
  /// @param random the component's own stream (Backbone::Context::random): one number for each image, in
  /// their order; nothing is drawn at a rate of 0
  /// Throws std::logic_error if the rate is outside [0, 1), or above 0 without a stream.
  DropPath(double rate, std::shared_ptr<RandomStream> random);
  ~DropPath() override;

  /// @param branch [N, ...]
  torch::Tensor forward(const torch::Tensor& branch) override;

 private:
  double rate_;
  std::shared_ptr<RandomStream> random_;
};

/// The rates of as many blocks: from 0 for the first evenly up to `last`, which a single block has.
[[nodiscard]] KINDRED_API std::vector<double> drop_path_rates(double last, std::int64_t blocks);

}  // namespace kindred
