// The head of CLIP-ReID: Li et al., AAAI 2023, section 3.3.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/nn/weights_layout.h"
#include "kindred/role/head.h"

namespace kindred::clip {

/// Three features of each image, from the end of the network: "penultimate", before the last block of a
/// transformer or the last stage of a residual network; "global", after it; and "projected", brought to where
/// CLIP compares images and texts. Of tokens the class token is taken and projected linearly; a map is
/// averaged, and projected by attention pooling.
///
/// Outputs: these three; "neck" and "neck.projected", a batch norm with fixed bias 0 after each of the last
/// two; "logits" and "logits.projected", linear without bias; and "descriptor", global and projected feature
/// side by side, before or after the necks.
///
/// The part of the backbone after the cut is the head's own: tensors "rest.blocks.11...".
class ClipReid final : public Head {
 public:
  enum class TestFeature { global, neck };

  struct Params {
    std::string cut;
    std::int64_t projected_dim = 512;
    std::vector<std::int64_t> grid = {16, 8};
    std::int64_t last_stride = 1;
    TestFeature test_feature = TestFeature::global;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  /// Throws ComponentError when there is no block to cut after, and as AttentionPool does.
  ClipReid(const Params& params, const Context& context);

  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override;
  /// Throws ComponentError when a training batch has a single image.
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override;

 private:
  TestFeature test_feature_;
  std::int64_t identities_;
  std::int64_t penultimate_dim_;
  std::int64_t dim_;
  std::int64_t projected_dim_;
  std::shared_ptr<NetworkPart> trunk_;
  std::shared_ptr<NetworkPart> rest_;
  std::shared_ptr<TensorModule> projection_;
  torch::nn::BatchNorm1d neck_{nullptr};
  torch::nn::BatchNorm1d neck_projected_{nullptr};
  torch::nn::Linear classifier_{nullptr};
  torch::nn::Linear classifier_projected_{nullptr};
};

}  // namespace kindred::clip
