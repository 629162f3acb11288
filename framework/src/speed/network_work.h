// The convolutions and matrix products that a network is made of: counted, and measured one by one.
#pragma once

#include <ATen/core/ivalue.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kindred::speed {

/// What a tensor is but for its values.
struct TensorForm {
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  torch::ScalarType type = torch::kFloat32;
  torch::Device device = torch::kCPU;

  bool operator==(const TensorForm&) const = default;
};

/// Calls of one of LibTorch's operators that are alike: "aten::convolution", "aten::addmm", ...
struct OperatorCall {
  std::string op;
  std::string overload;
  std::vector<c10::IValue> arguments;              ///< undefined where they are tensors
  std::vector<std::optional<TensorForm>> tensors;  ///< for each argument
  double flops = 0;                                ///< of one call
  std::int64_t times = 1;                          ///< calls
};

/// In 32- or 16-bit floats, a multiplication and an addition count as two (FLOP).
struct NetworkWork {
  std::vector<OperatorCall> calls;

  [[nodiscard]] double flops() const;
};

/// What `run` calls in this thread, and in those in which LibTorch computes its gradients: convolutions,
/// products of matrices and attention, forwards and backwards. All else (normalization, activations, sums)
/// is not in it.
[[nodiscard]] NetworkWork recorded_work(const std::function<void()>& run);

/// How long the calls take when nothing is between them.
struct TimeAlone {
  double seconds = 0;         ///< of all calls together
  double flops = 0;           ///< of those that could be measured
  std::int64_t left_out = 0;  ///< different calls that could not be measured
};

/// Measures each different call alone, with random tensors of its forms, those of convolutions in
/// channels-last; on a CPU a convolution without gradient also with weights that oneDNN has laid out once
/// (mkldnn_prepacked), and the faster of both counts. The fastest of several runs.
/// @param seconds_each how long each is repeated
[[nodiscard]] TimeAlone time_alone(const NetworkWork& work, double seconds_each = 0.2);

}  // namespace kindred::speed
