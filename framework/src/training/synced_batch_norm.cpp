#include "training/synced_batch_norm.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/batch_norm_native.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

namespace kindred::training {
namespace {

/// Of the SyncedBatchNorm that lives.
const system::Ranks* syncing = nullptr;

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The sum over all ranks. What each rank makes of it depends on what all ranks gave, so the gradient is the
/// sum over all ranks as well.
struct SumOfRanks final : torch::autograd::Function<SumOfRanks> {
  static torch::Tensor forward(AutogradContext*, const torch::Tensor& values) {
    auto sum = values.detach().clone(torch::MemoryFormat::Contiguous);
    syncing->sum(sum);
    return sum;
  }
  static variable_list backward(AutogradContext*, const variable_list& gradients) {
    auto sum = gradients.at(0).detach().clone(torch::MemoryFormat::Contiguous);
    syncing->sum(sum);
    return {sum};
  }
};

torch::Tensor defined(const c10::optional<torch::Tensor>& tensor) {
  return tensor ? *tensor : torch::Tensor();
}

torch::Tensor synced(const torch::Tensor& input, const c10::optional<torch::Tensor>& weight,
                     const c10::optional<torch::Tensor>& bias,
                     const c10::optional<torch::Tensor>& running_mean,
                     const c10::optional<torch::Tensor>& running_var, double momentum, double eps) {
  std::vector<std::int64_t> all_but_channels{0};
  for (std::int64_t i = 2; i < input.dim(); ++i) all_but_channels.push_back(i);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(input.dim()), 1);
  shape[1] = input.size(1);
  // In 32 bits, as LibTorch's own; first the mean, so that large ones leave digits to the variance.
  const auto values = input.to(torch::kFloat32);
  auto counted = torch::full({1}, static_cast<double>(input.numel() / input.size(1)), values.options());
  const auto first = SumOfRanks::apply(torch::cat({values.sum(all_but_channels), counted}));
  const auto count = first.narrow(0, input.size(1), 1).detach();
  const auto mean = first.narrow(0, 0, input.size(1)) / count;
  const auto centered = values - mean.view(shape);
  const auto variance = SumOfRanks::apply(centered.square().sum(all_but_channels)) / count;
  {
    const torch::NoGradGuard no_gradients;
    if (auto running = defined(running_mean); running.defined()) running.lerp_(mean, momentum);
    if (auto running = defined(running_var); running.defined()) {
      running.lerp_(variance * (count / (count - 1)), momentum);
    }
  }
  auto output = centered * (variance + eps).rsqrt().view(shape);
  if (const auto factor = defined(weight); factor.defined()) output = output * factor.view(shape);
  if (const auto addend = defined(bias); addend.defined()) output = output + addend.view(shape);
  return output.to(input.scalar_type());
}

torch::Tensor batch_norm(const torch::Tensor& input, const c10::optional<torch::Tensor>& weight,
                         const c10::optional<torch::Tensor>& bias,
                         const c10::optional<torch::Tensor>& running_mean,
                         const c10::optional<torch::Tensor>& running_var, bool training, double momentum,
                         double eps, bool cudnn_enabled) {
  if (syncing == nullptr || !training || input.size(0) == 1) {
    return at::native::batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps,
                                  cudnn_enabled);
  }
  return synced(input, weight, bias, running_mean, running_var, momentum, eps);
}

/// For the life of the process: what LibTorch calls for a batch normalization that has gradients.
void take_the_place_of_libtorchs() {
  static const auto libraries = [] {
    std::vector<std::unique_ptr<torch::Library>> made;
    for (const auto key : {c10::DispatchKey::AutogradCPU, c10::DispatchKey::AutogradCUDA}) {
      made.push_back(std::make_unique<torch::Library>(torch::Library::IMPL, "aten", key, __FILE__, __LINE__));
      made.back()->impl("batch_norm", &batch_norm);
    }
    return made;
  }();
  static_cast<void>(libraries);
}

}  // namespace

SyncedBatchNorm::SyncedBatchNorm(const system::Ranks& ranks) {
  if (syncing != nullptr) throw std::logic_error("batch normalizations are synchronized already");
  take_the_place_of_libtorchs();
  syncing = &ranks;
}

SyncedBatchNorm::~SyncedBatchNorm() {
  syncing = nullptr;
}

}  // namespace kindred::training
