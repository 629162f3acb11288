// A batch that is computed in parts, with the memory of one, for losses that look at all of it: Gao et al.,
// "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", RepL4NLP 2021.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "kindred/nn/activations.h"
#include "model/random_state.h"
#include "recipe/plan.h"

namespace kindred::training {

/// Rows of a batch that are computed together.
struct BatchRows {
  std::int64_t first;
  std::int64_t count;

  [[nodiscard]] Activations of(const Activations& images) const;
};

/// Parts of nearly the same size, the larger ones first. A batch too small for that many has fewer: each has
/// two images at least, for statistics over one are not defined.
/// @param parts train.accumulate
[[nodiscard]] std::vector<BatchRows> parts_of(std::int64_t images, std::int64_t parts);

/// Throws RecipeError at train.accumulate when no batch has two images for each part: it could never be done
/// as the recipe says. Does nothing without batches.
void require_parts(const recipe::Plan& plan, const std::vector<std::vector<std::size_t>>& batches);

/// Two passes through a module: outputs of all parts without a graph, then, when the losses have given
/// gradients to these, each part once more with a graph. The second pass begins with the buffers (statistics
/// of normalizations) and, in each part, with the random numbers of the first, so that it computes the same;
/// what comes after both is as after one pass.
class PartwisePass {
 public:
  /// Computes a part; called twice for each, in order. What it draws beside LibTorch's generators is its own
  /// to repeat.
  using Forward = std::function<std::vector<torch::Tensor>(std::size_t part)>;

  /// The first pass.
  PartwisePass(const torch::nn::Module& module, torch::Device device, std::size_t parts, Forward forward);

  /// Of the whole batch: leaves that wait for gradients.
  [[nodiscard]] const std::vector<torch::Tensor>& outputs() const { return outputs_; }

  /// The second pass: adds to the gradients of the module's parameters what those of outputs() give.
  void backward();

 private:
  torch::Device device_;
  Forward forward_;
  std::vector<std::pair<torch::Tensor, torch::Tensor>> buffers_;  // and their values before the first pass
  std::vector<model::RandomState> random_;                        // before each part
  std::vector<std::int64_t> sizes_;                               // images of each part
  std::vector<torch::Tensor> outputs_;
};

}  // namespace kindred::training
