// Dai et al., "Batch DropBlock Network for Person Re-identification and Beyond", ICCV 2019.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/head.h"

namespace my_plugins {

/// The whole backbone -> "global", its average, and "dropped", its maximum after a band of rows, the same one
/// for the whole batch, has been set to 0 in training. Both together -> batch norm -> linear -> "logits".
class DropBlock final : public kindred::Head {
 public:
  struct Params {
    double height = 0.3;
  };
  static kindred::Schema<Params> schema();

  DropBlock(const Params& params, const Context& context);

  [[nodiscard]] std::shared_ptr<kindred::NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<kindred::OutputInfo> outputs() const override;
  [[nodiscard]] std::vector<torch::Tensor> forward(const kindred::Activations& features) override;

 private:
  /// The map with a random band of rows at 0.
  [[nodiscard]] torch::Tensor dropped(const torch::Tensor& map);

  double height_;
  std::int64_t channels_;
  std::int64_t identities_;
  std::shared_ptr<kindred::NetworkPart> trunk_;
  std::shared_ptr<kindred::RandomStream> random_;
  torch::nn::BatchNorm1d neck_;
  torch::nn::Linear classifier_;
};

}  // namespace my_plugins
