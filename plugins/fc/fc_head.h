// The heads of torchreid's networks: pooling and a classifier, with a fully connected layer between them in
// OSNet (Zhou et al., ICCV 2019, table 1), resnet50_fc512 and se_resnet50_fc512.
#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/pooling.h"
#include "kindred/role/head.h"

namespace kindred::fc {

/// The whole backbone -> pooling -> "fc" (linear, batch norm, ReLU; not with dim 0) -> "feature", the
/// descriptor -> linear -> "logits".
class FcHead final : public Head {
 public:
  struct Params {
    PoolingKind pooling = PoolingKind::average;
    std::optional<double> gem_exponent;
    std::int64_t dim = 512;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  FcHead(const Params& params, const Context& context);

  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override;
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override;

 private:
  std::int64_t dim_;
  std::int64_t identities_;
  std::shared_ptr<NetworkPart> trunk_;
  std::shared_ptr<Pooling> pooling_;
  torch::nn::Sequential fc_{nullptr};  // empty without the layer
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace kindred::fc
