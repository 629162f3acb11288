// Learned embeddings of the places of tokens, and their interpolation to another grid.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

#include "kindred/core/export.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/adapts_weights.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

/// How the embedding of one grid is made from that of another.
enum class GridResampling {
  bicubic,   ///< antialiased, with the centers of pixels aligned: timm
  bilinear,  ///< without antialiasing: TransReID
};

/// [N, extra + rows columns, C] -> the same with "embedding" [1, extra + rows columns, C] added.
///
/// adapted() interpolates an embedding [1, T, C] or [T, C] that another program, or another size of images,
/// had. Its grid is not written anywhere; of T it is taken to be the first of these that there is:
/// 1. the grid of this module, after as many extra tokens;
/// 2. a square, after as many extra tokens as here, or else after 1 or 2;
/// 3. the grid of this module, after none, 1 or 2: then only the extra tokens differ;
/// 4. after as many extra tokens as here, rows and columns whose ratio is within 5 % of that of this grid:
///    the images of a fine-tuned model are of much the same shape;
/// 5. a square without extra tokens: DeiT III, whose class token has no embedding;
/// 6. after as many extra tokens as here, the rows and columns whose ratio is nearest to that of this grid;
///    of two as near, such as 24 x 8 and 16 x 12 to 16 x 8, those with more rows: people stand.
/// Embeddings of extra tokens are taken from the first on; those that the source has not are 0.
class KINDRED_API PositionEmbedding final : public TensorModule, public AdaptsWeights {
 public:
  /// Initially from a normal distribution of deviation 0.02, drawn from LibTorch's generator.
  /// @param grid `extra`: only the extra tokens that have an embedding
  PositionEmbedding(const TokenGrid& grid, std::int64_t channels, GridResampling resampling);
  ~PositionEmbedding() override;

  torch::Tensor forward(const torch::Tensor& tokens) override;
  [[nodiscard]] torch::Tensor adapted(const std::string& name, const torch::Tensor& source) const override;

 private:
  TokenGrid grid_;
  GridResampling resampling_;
  torch::Tensor embedding_;
};

/// [1, C, h, w] -> [1, C, rows, columns], in 32-bit floats.
[[nodiscard]] KINDRED_API torch::Tensor resampled_grid(const torch::Tensor& map, std::int64_t rows,
                                                       std::int64_t columns, GridResampling resampling);

}  // namespace kindred
