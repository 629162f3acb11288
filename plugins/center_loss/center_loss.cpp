#include "center_loss.h"

#include <torch/optim/sgd.h>

#include <cstdint>
#include <vector>

#include "kindred/nn/random_tensor.h"

namespace kindred::center_loss {

Schema<CenterLoss::Params> CenterLoss::schema() {
  Schema<Params> s("Squared distance of each feature to the learned center of its identity.",
                   "Wen et al., ECCV 2016, section 3.2");
  s.add("center_learning_rate", &Params::center_learning_rate,
        "learning rate of the centers' own gradient descent; constant, and independent of the weight of the "
        "loss")
      .above(0);
  return s;
}

CenterLoss::CenterLoss(const Params& params, const Context& context)
    : learning_rate_(params.center_learning_rate),
      centers_(
          register_parameter("centers", random_normal({context.identities, context.dim}, *context.random))) {}

torch::Tensor CenterLoss::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  constexpr std::int64_t no_padding = -1;
  const auto own = torch::embedding(centers_, labels, no_padding, /*scale_grad_by_freq=*/false,
                                    /*sparse=*/true);
  return (output - own).square().sum(1).clamp(1e-12, 1e12).mean();
}

std::unique_ptr<torch::optim::Optimizer> CenterLoss::own_optimizer() {
  return std::make_unique<torch::optim::SGD>(std::vector<torch::Tensor>{centers_},
                                             torch::optim::SGDOptions(learning_rate_));
}

}  // namespace kindred::center_loss
