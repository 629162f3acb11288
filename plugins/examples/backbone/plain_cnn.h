// A plain chain of convolutions.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"

namespace my_plugins {

/// For each number of `channels` a block: 3x3 convolution of stride 2 -> batch norm -> ReLU. ChainBackbone
/// does all that a head asks for; a backbone says only how each block is made.
class PlainCnn final : public kindred::ChainBackbone {
 public:
  struct Params {
    std::vector<std::int64_t> channels = {32, 64, 128, 256};
  };
  static kindred::Schema<Params> schema();

  PlainCnn(const Params& params, const Context& context);
  [[nodiscard]] std::int64_t channels() const override { return params_.channels.back(); }

 protected:
  [[nodiscard]] std::vector<kindred::BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  Params params_;
  std::shared_ptr<kindred::RandomStream> random_;
};

}  // namespace my_plugins
