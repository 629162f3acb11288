#include "training/gathered_outputs.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/utils.h>

#include <cstddef>
#include <utility>

#include "recipe/guarded.h"

namespace kindred::training {

GatheredOutputs::GatheredOutputs(const system::Ranks& ranks, std::vector<torch::Tensor> own)
    : own_(std::move(own)) {
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> values;
  for (const auto& output : own_) values.push_back(output.detach());
  const auto rows = ranks.gather(values);
  for (std::size_t i = 0; i < own_.size(); ++i)
    all_.push_back(torch::cat(rows[i]).set_requires_grad(own_[i].requires_grad()));
  for (int rank = 0; rank < ranks.rank() && !rows.empty(); ++rank)
    first_ += rows.front()[static_cast<std::size_t>(rank)].size(0);
}

bool GatheredOutputs::backward() {
  std::vector<torch::Tensor> reached;
  std::vector<torch::Tensor> gradients;
  for (std::size_t i = 0; i < own_.size(); ++i) {
    if (!own_[i].requires_grad() || !all_[i].grad().defined()) continue;
    reached.push_back(own_[i]);
    gradients.push_back(all_[i].grad().narrow(0, first_, own_[i].size(0)));
  }
  if (reached.empty()) return false;
  recipe::guarded("the backward pass of head and backbone",
                  [&] { torch::autograd::backward(reached, gradients); });
  return true;
}

}  // namespace kindred::training
