#include "training/gathered_outputs.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/utils.h>

#include <cstddef>
#include <numeric>
#include <utility>

#include "recipe/guarded.h"

namespace kindred::training {

GatheredOutputs::GatheredOutputs(const system::Ranks& ranks, std::vector<torch::Tensor> own,
                                 const std::vector<std::int64_t>& rows_by_rank)
    : own_(std::move(own)),
      first_(std::accumulate(rows_by_rank.begin(), rows_by_rank.begin() + ranks.rank(), std::int64_t{0})) {
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> values;
  for (const auto& output : own_) values.push_back(output.detach());
  const auto rows = ranks.gather(values, rows_by_rank);
  for (std::size_t i = 0; i < own_.size(); ++i)
    all_.push_back(torch::cat(rows[i]).set_requires_grad(own_[i].requires_grad()));
}

void GatheredOutputs::backward() {
  std::vector<torch::Tensor> reached;
  std::vector<torch::Tensor> gradients;
  for (std::size_t i = 0; i < own_.size(); ++i) {
    if (!own_[i].requires_grad() || !all_[i].grad().defined()) continue;
    reached.push_back(own_[i]);
    gradients.push_back(all_[i].grad().narrow(0, first_, own_[i].size(0)));
  }
  if (reached.empty()) return;
  recipe::guarded("the backward pass of head and backbone",
                  [&] { torch::autograd::backward(reached, gradients); });
}

}  // namespace kindred::training
