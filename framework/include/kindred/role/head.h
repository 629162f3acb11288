// Role "head": turns the features of the backbone into vectors, logits and the descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/random.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/feature_form.h"
#include "kindred/nn/network_part.h"
#include "kindred/nn/output.h"
#include "kindred/nn/weights_layout.h"

namespace kindred {

class Backbone;

class KINDRED_API Head : public torch::nn::Module {
 public:
  using Role = Head;
  using Handle = std::shared_ptr<Head>;
  static constexpr std::string_view role_name = "head";

  struct Context {
    Backbone& backbone;       ///< its weights are loaded; valid only during the constructor
    std::int64_t identities;  ///< classes in training, at least 1
    /// The head's own numbers; rules as of Backbone::Context::random.
    std::shared_ptr<RandomStream> random = std::make_shared<RandomStream>(0);
  };

  ~Head() override;

  /// What other programs call the tensors. A component that reads their files declares the same function; the
  /// rules give names as the module itself has them.
  [[nodiscard]] static std::vector<WeightsLayout> weights_layouts() { return {}; }

  /// What the head takes of the backbone's last block. Every backbone has a map: Activations::map() makes one
  /// of tokens. A head that needs tokens declares the same function; recipes with another backbone are then
  /// refused.
  [[nodiscard]] static FeatureForm takes() { return FeatureForm::map; }

  /// The shared part of the backbone whose output this head takes. The caller registers it, not the head.
  [[nodiscard]] virtual std::shared_ptr<NetworkPart> trunk() const = 0;

  /// What forward() returns in training, in order. The last one is named "descriptor".
  [[nodiscard]] virtual std::vector<OutputInfo> outputs() const = 0;

  /// In training: one tensor [N, dim] for each of outputs(). In evaluation: only the descriptor [N, D], not
  /// normalized.
  /// @param features the output of trunk()
  [[nodiscard]] virtual std::vector<torch::Tensor> forward(const Activations& features) = 0;
};

}  // namespace kindred
