#include "batch_moments.h"

#include <atomic>
#include <cstdint>
#include <stdexcept>

#include "fused_norm.h"

namespace kindred {

namespace {

std::atomic<int> unfused = 0;

void take_in(const torch::Tensor& running, const torch::Tensor& value, double share, double factor) {
  auto* kept = running.data_ptr<float>();
  const auto* given = value.data_ptr<float>();
  for (std::int64_t c = 0; c < value.numel(); ++c) {
    kept[c] = static_cast<float>((1 - share) * static_cast<double>(kept[c]) +
                                 share * factor * static_cast<double>(given[c]));
  }
}

bool is_plain(const torch::Tensor& values) {
  return values.defined() && values.scalar_type() == torch::kFloat32 && values.device().is_cpu() &&
         values.is_contiguous();
}

}  // namespace

UnfusedNorms::UnfusedNorms() {
  ++unfused;
}
UnfusedNorms::~UnfusedNorms() {
  --unfused;
}
bool UnfusedNorms::are_wanted() {
  return unfused > 0;
}

std::optional<ChannelMoments> batch_moments(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& map) {
  if (UnfusedNorms::are_wanted() || !norm.is_training() || !has_channel_kernels(map) ||
      map.size(1) != norm.options.num_features() || !is_plain(norm.weight) || !is_plain(norm.bias)) {
    return std::nullopt;
  }
  const auto count = map.numel() / map.size(1);
  if (count == 1) return std::nullopt;
  const bool tracks = norm.options.track_running_stats();
  if (tracks && !(is_plain(norm.running_mean) && is_plain(norm.running_var))) return std::nullopt;
  auto moments = channel_moments(map);
  if (tracks) {
    // As the module itself does: without a momentum, the mean of all batches.
    norm.num_batches_tracked += 1;
    const double share =
        norm.options.momentum() ? *norm.options.momentum() : 1.0 / norm.num_batches_tracked.item<double>();
    const auto values = static_cast<double>(count);
    take_in(norm.running_mean, moments.mean, share, 1);
    take_in(norm.running_var, moments.variance, share, values / (values - 1));
  }
  return moments;
}

torch::Tensor like_map(const torch::Tensor& shortcut, const torch::Tensor& map) {
  return shortcut.to(map.scalar_type()).contiguous(torch::MemoryFormat::ChannelsLast);
}

torch::Tensor gradient_of_map(const torch::autograd::variable_list& gradients, const torch::Tensor& map) {
  if (torch::GradMode::is_enabled()) {
    throw std::logic_error("a batch norm in training is differentiated once, not twice");
  }
  return like_map(gradients.at(0), map);
}

}  // namespace kindred
