#include "kindred/nn/drop_path.h"

#include <c10/util/Exception.h>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace kindred {

namespace {

/// On the CPU, not initialized. Pinned for a branch on a GPU, where there is pinned memory: the copy there
/// does not wait for what the GPU is computing.
torch::Tensor factors_for(const torch::Tensor& branch, const std::vector<std::int64_t>& shape) {
  const auto plain = torch::TensorOptions(torch::kFloat32);
  if (branch.is_cuda()) {
    try {
      return torch::empty(shape, plain.pinned_memory(true));
    } catch (const c10::Error&) {
      // A limit on page-locked memory.
    }
  }
  return torch::empty(shape, plain);
}

}  // namespace

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
  auto factors = factors_for(branch, shape);
  auto* values = factors.data_ptr<float>();
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    values[i] = random_->chance(rate_) ? 0.0F : static_cast<float>(1.0 / (1.0 - rate_));
  }
  // First to the device, then to the type: the other way round it would be copied from memory that is not
  // pinned.
  const auto there = factors.to(branch.device(), torch::kFloat32, /*non_blocking=*/factors.is_pinned());
  return branch * there.to(branch.scalar_type());
}

std::vector<double> drop_path_rates(double last, std::int64_t blocks) {
  std::vector<double> rates(static_cast<std::size_t>(blocks), last);
  for (std::size_t i = 0; i + 1 < rates.size(); ++i) {
    rates[i] = last * static_cast<double>(i) / static_cast<double>(blocks - 1);
  }
  return rates;
}

}  // namespace kindred
