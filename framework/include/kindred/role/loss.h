// Role "loss": a term of the function that training minimizes.
#pragma once

#include <torch/nn/module.h>
#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/random.h"
#include "kindred/nn/output.h"

namespace kindred {

/// What a loss may look at in one batch of N images.
struct KINDRED_API LossBatch {
  std::vector<torch::Tensor> outputs;  ///< those it is on, each [N, dim], in 32-bit floats
  torch::Tensor labels;                ///< [N], int64, class indices from 0
  /// [N], int64: places of the cameras among those of the training; -1: unknown.
  torch::Tensor cameras;
};

/// A recipe applies a loss to named outputs of the network: those of the head, and of other models as
/// "NAME.descriptor" where the recipe has them ([[teacher]]). A class derived from it declares
///   `static std::vector<OutputKind> takes()`,
/// the kinds of the outputs that one instance takes together. A recipe names as many outputs, or a multiple,
/// each time as many have their own instance, so that a loss with parameters (centers, class weights) never
/// shares them. A loss on a single output, as most are, derives from OutputLoss.
class KINDRED_API Loss : public torch::nn::Module {
 public:
  using Role = Loss;
  using Handle = std::shared_ptr<Loss>;
  static constexpr std::string_view role_name = "loss";

  struct Context {
    std::int64_t dim;         ///< of the first output
    std::int64_t identities;  ///< classes in training
    /// This instance's own numbers; rules as of Backbone::Context::random.
    std::shared_ptr<RandomStream> random = std::make_shared<RandomStream>(0);
    std::vector<OutputInfo> outputs = {};  ///< all that the instance takes
    std::int64_t cameras = 0;              ///< cameras of the training data; 0: it tells none apart
  };

  ~Loss() override;

  /// Leaves the tensors of the batch as they are: other losses take the same ones.
  /// @return a scalar, before it is multiplied by the weight of the recipe
  [[nodiscard]] virtual torch::Tensor compute(const LossBatch& batch) = 0;

  /// True if LossBatch::cameras is used: training data without cameras are then refused.
  [[nodiscard]] virtual bool needs_cameras() const;

  /// True if an image adds to the loss only when its batch holds another image of its identity and one of
  /// another identity, as with triplets. Batches that never do are then refused.
  [[nodiscard]] virtual bool needs_pairs() const;

  /// Names of figures that show how the training goes, such as mean distances: "d_ap". Constant, without '/',
  /// none twice, and none that the training has itself: "loss", "gradient_norm", "learning_rate",
  /// "loss_scale", "anchors_with_pairs".
  [[nodiscard]] virtual std::vector<std::string> figures() const;

  /// What figures() were in the last forward(), for the log and the metrics of the training: [figures()],
  /// 32-bit floats without gradient, on the device of the output; NaN: none in this batch.
  [[nodiscard]] virtual torch::Tensor figure_values() const;

  /// An optimizer for all parameters of the loss, or nullptr to train them together with those of the model.
  /// Its learning rate is constant, and its gradients are divided by the weight of the loss before each step,
  /// so that the learning rate does not depend on the weight (Wen et al., ECCV 2016).
  [[nodiscard]] virtual std::unique_ptr<torch::optim::Optimizer> own_optimizer();
};

/// A loss on one output, of which each has an instance of its own.
class KINDRED_API OutputLoss : public Loss {
 public:
  ~OutputLoss() override;

  /// @param output [N, dim], in 32-bit floats
  /// @param labels [N], int64, class indices from 0
  /// @return a scalar, before it is multiplied by the weight of the recipe
  [[nodiscard]] virtual torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) = 0;

  [[nodiscard]] torch::Tensor compute(const LossBatch& batch) final;
};

}  // namespace kindred
