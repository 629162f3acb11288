// Side information embedding: He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021,
// section 3.3.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// What the embedding of an unknown camera or view is.
enum class UnknownSide {
  refuse,  ///< nothing: the engine refuses such images
  none,    ///< 0
  mean,    ///< the mean over all that fit what is known
};

/// For schemas: 'refuse', 'none' and 'mean'.
[[nodiscard]] KINDRED_API std::vector<std::pair<std::string, UnknownSide>> unknown_side_choices();

/// A learned vector for each camera, each view or each pair of both: "embedding" [cameras views, 1, C], the
/// views of a camera in a row, as in TransReID.
class KINDRED_API SideEmbedding final : public torch::nn::Module {
 public:
  /// Initially from a normal distribution of deviation 0.02, drawn from LibTorch's generator.
  /// @param cameras, views 1: not told apart
  SideEmbedding(std::int64_t cameras, std::int64_t views, std::int64_t channels, UnknownSide unknown);
  ~SideEmbedding() override;

  /// @param cameras, views [N], int64; not used where they are not told apart
  /// @return [N, 1, C]
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& cameras, const torch::Tensor& views) const;

 private:
  std::int64_t cameras_;
  std::int64_t views_;
  UnknownSide unknown_;
  torch::Tensor embedding_;
};

}  // namespace kindred
