#include "speed/machine_limits.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "progress/text_progress.h"
#include "speed/spread.h"
#include "system/device.h"

namespace kindred::speed {
namespace {

/// Seconds of one call: the median.
double limit_seconds(const std::function<void()>& once, torch::Device device, double seconds) {
  once();
  system::wait_for(device);
  std::vector<double> times;
  const double start = progress::monotonic_seconds();
  while (times.size() < 3 || (progress::monotonic_seconds() - start < seconds && times.size() < 1000)) {
    const double before = progress::monotonic_seconds();
    once();
    system::wait_for(device);
    times.push_back(progress::monotonic_seconds() - before);
  }
  return spread_of(times).median;
}

torch::ScalarType type_of(system::Precision precision) {
  switch (precision) {
    case system::Precision::bf16:
      return torch::kBFloat16;
    case system::Precision::fp16:
      return torch::kFloat16;
    default:
      return torch::kFloat32;
  }
}

}  // namespace

double product_flops_per_second(const system::Computing& computing, double seconds) {
  const torch::NoGradGuard no_gradients;
  const std::vector<std::int64_t> sizes = computing.device.is_cuda() ? std::vector<std::int64_t>{4096, 8192}
                                                                     : std::vector<std::int64_t>{1024, 2048};
  double best = 0;
  for (const auto size : sizes) {
    const auto options = torch::TensorOptions(type_of(computing.precision)).device(computing.device);
    const auto a = torch::rand({size, size}, options);
    const auto b = torch::rand({size, size}, options);
    auto out = torch::empty({size, size}, options);
    const double one = limit_seconds([&] { at::mm_out(out, a, b); }, computing.device,
                                     seconds / static_cast<double>(sizes.size()));
    best = std::max(best, 2 * static_cast<double>(size) * static_cast<double>(size * size) / one);
  }
  return best;
}

double copied_bytes_per_second(torch::Device device, double seconds) {
  const torch::NoGradGuard no_gradients;
  constexpr std::int64_t bytes = std::int64_t{256} << 20;
  const auto options = torch::TensorOptions(torch::kUInt8).device(device);
  const auto from = torch::ones({bytes}, options);
  auto to = torch::zeros({bytes}, options);
  const auto copy = [&] {
    if (device.is_cuda()) {
      to.copy_(from);
      return;
    }
    auto* target = to.data_ptr<std::uint8_t>();
    const auto* source = from.data_ptr<std::uint8_t>();
    at::parallel_for(0, bytes, bytes / std::max(1, at::get_num_threads()),
                     [&](std::int64_t first, std::int64_t last) {
                       std::memcpy(target + first, source + first, static_cast<std::size_t>(last - first));
                     });
  };
  return static_cast<double>(bytes) / limit_seconds(copy, device, seconds);
}

}  // namespace kindred::speed
