// Role "head": what is made of the backbone's features: vectors, logits and the descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/nn/output.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/nn/weights_layout.h"

namespace kindred {

class Backbone;

class KINDRED_API Head : public torch::nn::Module {
 public:
  using Role = Head;
  using Handle = std::shared_ptr<Head>;
  static constexpr std::string_view role_name = "head";

  struct Context {
    Backbone& backbone;       ///< weights already loaded; lives only as long as the constructor runs
    std::int64_t identities;  ///< classes in training, at least 1
  };

  ~Head() override;

  /// What other programs call the tensors. A component that reads their files declares the same function; the
  /// rules give names as the module itself has them.
  [[nodiscard]] static std::vector<WeightsLayout> weights_layouts() { return {}; }

  /// The shared part of the backbone that this head works on. Registered by the caller, not by the head.
  [[nodiscard]] virtual std::shared_ptr<TensorModule> trunk() const = 0;

  /// What forward() gives in training, in its order. The last is named "descriptor".
  [[nodiscard]] virtual std::vector<OutputInfo> outputs() const = 0;

  /// In training: one tensor [N, dim] for each of outputs().
  /// In evaluation: the descriptor alone [N, D], not normalised.
  /// @param map what trunk() gave [N, C, h, w]
  [[nodiscard]] virtual std::vector<torch::Tensor> forward(const torch::Tensor& map) = 0;
};

}  // namespace kindred
