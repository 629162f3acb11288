// BNNeck: Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPRW 2019,
// section 3.5.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/pooling.h"
#include "kindred/role/head.h"

namespace kindred::bnneck {

/// The whole backbone -> pooling, or its class token -> "global", the vector for distance losses -> batch
/// norm whose bias is fixed at 0 -> "neck", the vector for angular losses -> linear without bias -> "logits".
class Bnneck final : public Head {
 public:
  enum class TestFeature { neck, global };

  struct Params {
    PoolingKind pooling = PoolingKind::average;
    std::optional<double> gem_exponent;
    std::int64_t reduced_dim = 0;
    TestFeature test_feature = TestFeature::neck;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  /// Throws ComponentError when the class token of a backbone is wanted that gives a map.
  Bnneck(const Params& params, const Context& context);

  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override;
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override;

 private:
  TestFeature test_feature_;
  std::int64_t dim_;
  std::int64_t identities_;
  std::shared_ptr<NetworkPart> trunk_;
  std::shared_ptr<Pooling> pooling_;      // nullptr with the class token
  torch::nn::Conv2d reduction_{nullptr};  // empty without reduction
  torch::nn::BatchNorm1d neck_{nullptr};
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace kindred::bnneck
