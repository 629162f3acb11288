// Computing with 16-bit floating-point numbers where that is enough: mixed precision.
#pragma once

#include <torch/types.h>

#include <functional>
#include <string>

#include "system/precision_kind.h"
#include "system/ranks.h"

namespace kindred::system {

/// "fp32", "fp16" or "bf16", as a recipe says it.
[[nodiscard]] std::string precision_name(Precision precision);

/// Whether a device can compute in fp32, fp16 or bf16. On a processor tried out once, with a small
/// convolution: where oneDNN has none in bf16 (x86-64 without AVX-512), LibTorch's own loops take some
/// forty times as long as in fp32, and it counts as unable. GPUs need compute capability 8 for bf16.
[[nodiscard]] bool can_compute(torch::Device device, Precision precision);

/// Whether it has instructions for it (GPUs: tensor cores), so that 16 bits are faster than fp32.
[[nodiscard]] bool is_made_for(torch::Device device, Precision precision);

/// The first of bf16, fp16 and fp32 that suits all ranks, each of which calls this.
/// @param suits whether bf16 or fp16 suits this rank; fp32 always does
[[nodiscard]] Precision shared_precision(const std::function<bool(Precision)>& suits, const Ranks& ranks);

/// What 'auto' stands for: bf16 on processors with instructions for it and on GPUs of compute capability 8 or
/// more, fp16 on older GPUs, else fp32. Of several ranks what suits the devices of all.
[[nodiscard]] Precision suitable_precision(torch::Device device, const Ranks& ranks = Ranks::alone());

/// Why that suits it: "the processor has instructions for it".
[[nodiscard]] std::string why_suitable(torch::Device device);

/// Throws Error when the device cannot compute in it.
/// @param key where the recipe says so: "train.precision"
void require_precision(Precision precision, torch::Device device, const std::string& key);

/// Where a network computes, and in which precision: decided once for a training or an extraction, and handed
/// on.
struct Computing {
  torch::Device device;
  Precision precision;  ///< fp32, fp16 or bf16, in which the device can compute
};

/// While it lives, convolutions and matrix products of this thread compute in the precision and other
/// operations as LibTorch's autocast defines; with fp32 all of them in 32 bits, also where an application has
/// autocast of its own. Backward passes belong outside.
class Autocast {
 public:
  explicit Autocast(const Computing& computing);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  torch::DeviceType device_;
  bool active_;
  bool was_enabled_;
  torch::ScalarType type_before_;
};

}  // namespace kindred::system
