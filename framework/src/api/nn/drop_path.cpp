#include "kindred/nn/drop_path.h"

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace kindred {

DropPath::DropPath(double rate, std::shared_ptr<RandomStream> random)
    : rate_(rate), random_(std::move(random)) {
  if (!(rate >= 0 && rate < 1)) throw std::logic_error("the rate of a dropped path is in [0, 1)");
  if (rate > 0 && random_ == nullptr) throw std::logic_error("dropped paths need a random stream");
}

DropPath::~DropPath() = default;

torch::Tensor DropPath::forward(const torch::Tensor& branch) {
  if (!is_training() || rate_ == 0) return branch;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(branch.dim()), 1);
  shape[0] = branch.size(0);
  // Pinned where they go to a GPU: the copy does not wait for what it is computing.
  auto factors = torch::empty(shape, torch::TensorOptions(torch::kFloat32).pinned_memory(branch.is_cuda()));
  auto* values = factors.data_ptr<float>();
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    values[i] = random_->chance(rate_) ? 0.0F : static_cast<float>(1.0 / (1.0 - rate_));
  }
  return branch * factors.to(branch.options(), /*non_blocking=*/true);
}

std::vector<double> drop_path_rates(double last, std::int64_t blocks) {
  std::vector<double> rates(static_cast<std::size_t>(blocks), last);
  for (std::size_t i = 0; i + 1 < rates.size(); ++i) {
    rates[i] = last * static_cast<double>(i) / static_cast<double>(blocks - 1);
  }
  return rates;
}

}  // namespace kindred
