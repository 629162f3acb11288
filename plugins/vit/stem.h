// Images -> tokens with their places: the first block of a vision transformer.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "kindred/nn/activations.h"
#include "kindred/nn/network_part.h"
#include "kindred/nn/position_embedding.h"
#include "kindred/nn/side_embedding.h"
#include "kindred/nn/tensor_module.h"

namespace kindred::vit {

/// The tokens that are of no place: "class_token" [1, 1, C] and, where there are any, "distillation_token"
/// [1, 1, C] and "register_tokens" [1, registers, C]. Initially from a normal distribution of deviation 0.02.
class ExtraTokens final : public torch::nn::Module {
 public:
  ExtraTokens(std::int64_t channels, bool distilled, std::int64_t registers);

  /// Class and distillation token ahead of [N, T, C]: those that have a position embedding.
  [[nodiscard]] torch::Tensor with_embedded(const torch::Tensor& tokens) const;
  /// The registers after those.
  [[nodiscard]] torch::Tensor with_registers(const torch::Tensor& tokens) const;

 private:
  torch::Tensor class_token_;
  torch::Tensor distillation_token_;  // undefined without one
  torch::Tensor register_tokens_;     // undefined without any
};

struct StemOptions {
  std::int64_t height = 0;  ///< of the images, in pixels
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t patch = 0;  ///< height and width of a patch; 0: a stem of convolutions
  std::int64_t stride = 0;
  bool distilled = false;
  std::int64_t registers = 0;
  GridResampling resampling = GridResampling::bicubic;
  std::int64_t cameras = 1;  ///< 1: not told apart
  std::int64_t views = 1;
  double side_factor = 0;
  UnknownSide unknown = UnknownSide::refuse;
};

/// How many patches there are in each direction; extra tokens are counted.
[[nodiscard]] TokenGrid grid_of(const StemOptions& options);

/// Images [N, 3, height, width] -> tokens [N, T, C]. Only modules, so that the block's name is not in the
/// tensors' names: "patch_embed", "tokens", "position", "side".
class Stem final : public NetworkPart {
 public:
  explicit Stem(const StemOptions& options);

  /// Throws ComponentError when the images are of another size, or of unknown cameras or views where these
  /// are used.
  [[nodiscard]] Activations propagate(const Activations& images) override;

 private:
  StemOptions options_;
  std::shared_ptr<TensorModule> patch_embed_;
  std::shared_ptr<ExtraTokens> tokens_;
  std::shared_ptr<PositionEmbedding> position_;
  std::shared_ptr<SideEmbedding> side_;  // nullptr without side information
};

}  // namespace kindred::vit
