#include "system/precision.h"

#include <ATen/ops/mkldnn_convolution.h>
#include <torch/library.h>
#include <torch/utils.h>
#include <torch/version.h>

#include <array>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "api/nn/torch_version.h"
#include "kindred/core/error.h"
#include "system/device.h"

// In a list of its own by 2.x's CPU autocast, in none by 1.13's: there a norm of 16 bits with its 32-bit
// weights was an error. As on GPUs, it is computed in 32 bits.
#if TORCH_VERSION_MAJOR < 2
namespace {

at::Tensor layer_norm_in_fp32(const at::Tensor& input, at::IntArrayRef shape,
                              const c10::optional<at::Tensor>& weight, const c10::optional<at::Tensor>& bias,
                              double epsilon, bool cudnn_enable) {
  const c10::impl::ExcludeDispatchKeyGuard outside(c10::DispatchKey::AutocastCPU);
  return at::layer_norm(input.to(at::kFloat), shape, weight, bias, epsilon, cudnn_enable);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, AutocastCPU, autocast) {
  autocast.impl("layer_norm", layer_norm_in_fp32);
}
#endif

namespace kindred::system {
namespace {

torch::ScalarType type_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return torch::kFloat32;
    case Precision::fp16:
      return torch::kFloat16;
    case Precision::bf16:
      return torch::kBFloat16;
    case Precision::trained:
    case Precision::automatic:
      break;
  }
  throw std::logic_error("unresolved precision");
}

/// A forward and a backward pass through a convolution of oneDNN, which throws where the processor lacks
/// instructions. There LibTorch would compute with loops of its own.
bool convolves_in_bf16() {
  try {
    const auto options = torch::TensorOptions().dtype(torch::kBFloat16);
    const auto images = torch::ones({1, 8, 6, 6}, options).contiguous(torch::MemoryFormat::ChannelsLast);
    const auto weights = torch::ones({8, 8, 3, 3}, options).set_requires_grad(true);
    const auto sum =
        at::mkldnn_convolution(images, weights, {}, {0, 0}, {1, 1}, {1, 1}, 1).to(torch::kFloat32).sum();
    sum.backward();
    // 8 maps of 4 x 4, each element a sum of 8 x 3 x 3 ones.
    return sum.item<float>() == 8 * 16 * 72 && weights.grad().to(torch::kFloat32).eq(16).all().item<bool>();
  } catch (const std::exception&) {
    return false;
  }
}

/// AVX-512 BF16, AMX or ARM's BF16.
bool processor_has_bf16() {
  constexpr std::array names = {"avx512_bf16", "amx_bf16", "bf16"};
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags", 0) != 0 && line.rfind("Features", 0) != 0) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      for (const auto* name : names) {
        if (word == name) return true;
      }
    }
    return false;
  }
  return false;
}

}  // namespace

std::string precision_name(Precision precision) {
  switch (type_of(precision)) {
    case torch::kFloat16:
      return "fp16";
    case torch::kBFloat16:
      return "bf16";
    default:
      return "fp32";
  }
}

bool can_compute(torch::Device device, Precision precision) {
  if (precision == Precision::fp32) return true;
  if (device.is_cuda()) return precision == Precision::fp16 || compute_capability(device) >= 8;
  if (precision == Precision::fp16) return false;
  static const bool bf16 = [] {
    const torch::AutoGradMode gradients(true);
    return convolves_in_bf16();
  }();
  return bf16;
}

bool is_made_for(torch::Device device, Precision precision) {
  if (precision == Precision::fp32) return true;
  if (!can_compute(device, precision)) return false;
  if (device.is_cuda()) return compute_capability(device) >= 7;
  static const bool bf16 = processor_has_bf16();
  return bf16;
}

Precision shared_precision(const std::function<bool(Precision)>& suits, const Ranks& ranks) {
  for (const auto precision : {Precision::bf16, Precision::fp16}) {
    if (!ranks.any(!suits(precision))) return precision;
  }
  return Precision::fp32;
}

Precision suitable_precision(torch::Device device, const Ranks& ranks) {
  return shared_precision(
      [device](Precision precision) {
        return precision == Precision::fp16 ? device.is_cuda() : is_made_for(device, precision);
      },
      ranks);
}

std::string why_suitable(torch::Device device) {
  const bool bf16 = suitable_precision(device) == Precision::bf16;
  if (!device.is_cuda())
    return bf16 ? "the processor has instructions for it" : "the processor has none for bf16";
  return "the GPU is of compute capability " + std::to_string(compute_capability(device)) +
         (bf16 ? "" : "; bf16 needs 8");
}

void require_precision(Precision precision, torch::Device device, const std::string& key) {
  if (can_compute(device, precision)) return;
  const auto name = precision_name(precision);
  throw Error(key + " = \"" + name + "\": error: " +
              (precision == Precision::fp16 ? "needs a CUDA GPU, but this run uses " + device.str()
               : device.is_cpu()
                   ? "needs a processor with AVX-512 or Arm's BF16, or a GPU, but this run uses " +
                         device_text(device)
                   : "is not supported by " + device_text(device)) +
              "; choose \"fp32\" or \"auto\"");
}

Autocast::Autocast(const Computing& computing)
    : device_(computing.device.type()),
      active_(computing.precision != Precision::fp32),
      was_enabled_(autocast_enabled(device_)),
      type_before_(autocast_type(device_)) {
  const auto type = type_of(computing.precision);
  set_autocast(device_, active_, active_ ? type : type_before_);
  if (active_) at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  // Weights are converted once and kept until the outermost scope ends.
  if (active_ && at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  set_autocast(device_, was_enabled_, type_before_);
}

}  // namespace kindred::system
