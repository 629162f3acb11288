// TransReID: He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021,
// sections 3.1, 3.2.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/head.h"

namespace kindred::transreid {

/// After the cut there are two copies of the backbone's rest. The first sees all tokens; its class token is
/// "global". The second sees the class token and one part of the patches at a time; its class tokens are
/// "local1", "local2", ... The parts are of shifted and shuffled patches (the jigsaw patch module), so that
/// each has patches of the whole body. Every one of these vectors has its own batch norm whose bias is fixed
/// at 0, and its own classifier without bias.
///
/// Without jpm there is the global vector alone, of the whole backbone: the paper's strong baseline.
///
/// Outputs: the vectors as named above, then as many logits "logits.global", "logits.local1", ..., then
/// "descriptor", the global vector and each local one divided by their number, one after the other.
class Transreid final : public Head {
 public:
  enum class TestFeature { before, after };

  struct Params {
    bool jpm = true;
    std::string cut;
    std::int64_t shift = 5;
    std::int64_t shuffle_groups = 2;
    std::int64_t parts = 4;
    TestFeature test_feature = TestFeature::before;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();
  [[nodiscard]] static FeatureForm takes() { return FeatureForm::tokens; }

  Transreid(const Params& params, const Context& context);

  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override;
  /// Throws ComponentError when the patches are too few for the parts or the shift, or do not divide into the
  /// groups, and in training when the batch has a single image.
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override;

 private:
  struct Vector {
    std::string name;
    torch::nn::BatchNorm1d neck{nullptr};
    torch::nn::Linear classifier{nullptr};
  };

  void add_vector(const std::string& name);
  /// The patches [N, P, C] in the order of which the parts are cut: P, or one more.
  [[nodiscard]] torch::Tensor shuffled(const torch::Tensor& patches) const;
  /// The class tokens [N, C] of the parts.
  [[nodiscard]] std::vector<torch::Tensor> locals(const Activations& features);

  Params params_;
  std::int64_t dim_;
  std::int64_t identities_;
  std::shared_ptr<NetworkPart> trunk_;
  std::shared_ptr<NetworkPart> global_branch_;  // nullptr without jpm
  std::shared_ptr<NetworkPart> local_branch_;   // nullptr without jpm
  std::vector<Vector> vectors_;
};

}  // namespace kindred::transreid
