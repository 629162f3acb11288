// CLIP's attention pooling of feature maps: Radford et al., ICML 2021, section 2.4.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "kindred/nn/position_embedding.h"
#include "kindred/nn/tensor_module.h"

namespace kindred::clip {

/// Map [N, C, h, w] -> [N, dim]: the mean of the map asks, its places and the mean itself answer, and the
/// result is projected. Tensors "position.embedding" [1, 1 + h w, C] (the mean's first), "q_proj", "k_proj",
/// "v_proj", "c_proj".
class AttentionPool final : public TensorModule {
 public:
  /// @param rows, columns of the maps. Throws ComponentError in the head's name when the channels are not a
  /// multiple of 64.
  AttentionPool(std::int64_t channels, std::int64_t dim, std::int64_t rows, std::int64_t columns);

  /// Throws ComponentError for a map of another size.
  torch::Tensor forward(const torch::Tensor& map) override;

 private:
  std::int64_t heads_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::shared_ptr<PositionEmbedding> position_;
  torch::nn::Linear queries_;
  torch::nn::Linear keys_;
  torch::nn::Linear values_;
  torch::nn::Linear result_;
};

}  // namespace kindred::clip
