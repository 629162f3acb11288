// MGN: Wang et al., "Learning Discriminative Features with Multiple Granularities for Person
// Re-Identification", ACM MM 2018.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/pooling.h"
#include "kindred/role/head.h"

namespace kindred::mgn {

/// Behind the cut each of three branches has its own copy of the backbone's rest: branch 1 with stride 2 in
/// its last stage unless told otherwise, branches 2 and 3 with stride 1. Each is pooled as a whole (g1, g2,
/// g3), branch 2 also to two stripes from top to bottom (p2_0, p2_1), branch 3 to three (p3_0, p3_1, p3_2).
/// Each of these 8 vectors has its own 1x1 convolution and batch norm, without ReLU, and ahead of its own
/// classifier a ReLU.
///
/// Outputs: the 8 reduced vectors as named above, then as many logits "logits.g1", ..., then "descriptor",
/// the 8 reduced vectors one behind the other.
class Mgn final : public Head {
 public:
  struct Params {
    std::string cut = "layer3.0";
    std::int64_t reduced_dim = 256;
    std::int64_t first_stride = 2;
    PoolingKind pooling = PoolingKind::max;
    std::optional<double> gem_exponent;
    bool exponent_per_stripe = false;
    bool classifier_bias = true;
    bool attention = false;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  Mgn(const Params& params, const Context& context);

  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override;
  /// Throws ComponentError when the branches' maps have fewer rows than stripes, and in training when the
  /// batch has a single image, or when the first branch's stride of 2 changes nothing.
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override;

 private:
  struct Branch {
    std::shared_ptr<NetworkPart> rest;
    std::shared_ptr<Pooling> global;
    std::shared_ptr<Pooling> stripes;  // nullptr in the first branch
    std::int64_t stripe_count;
  };
  struct Part {
    std::string name;
    torch::nn::Conv2d conv{nullptr};
    torch::nn::BatchNorm2d norm{nullptr};
    torch::nn::Linear classifier{nullptr};
  };

  void add_branch(std::int64_t number, std::int64_t stripes, const Params& params, const Context& context);
  void add_part(const std::string& name, const Params& params, const Context& context);
  void add_attention(std::int64_t channels);

  /// The 8 pooled vectors [N, C, 1, 1], in the order of the parts.
  [[nodiscard]] std::vector<torch::Tensor> pool(const Activations& trunk_features);
  /// The 8 reduced vectors [N, reduced_dim].
  [[nodiscard]] std::vector<torch::Tensor> reduce(const std::vector<torch::Tensor>& pooled);

  std::string cut_;
  std::int64_t first_stride_;
  std::int64_t reduced_dim_;
  std::int64_t identities_;
  std::shared_ptr<NetworkPart> trunk_;
  std::vector<Branch> branches_;
  std::vector<Part> parts_;
  torch::nn::Sequential attention_{nullptr};  // empty without attention
};

}  // namespace kindred::mgn
