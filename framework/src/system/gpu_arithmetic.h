// How GPUs compute 32-bit numbers, and how cuDNN chooses its algorithms.
#pragma once

#include <torch/types.h>

#include <string>

#include "system/tensor_float.h"

namespace kindred::system {

/// For the whole process. Without effect on the CPU, and on kindred/search, which never computes in TF32.
/// @param benchmark cuDNN measures its algorithms for each new size of a convolution
void set_gpu_arithmetic(TensorFloat tf32, bool benchmark);

/// What a log says of it: "cuda:0: TF32 in convolutions (machine.tf32), ...". "" on the CPU.
[[nodiscard]] std::string gpu_arithmetic_text(torch::Device device, TensorFloat tf32, bool benchmark);

/// While it lives, GPUs compute all 32-bit products in 32 bits and cuDNN takes algorithms that give the same
/// bits each time: for comparisons. For the whole process.
class PlainArithmetic {
 public:
  PlainArithmetic();
  ~PlainArithmetic();
  PlainArithmetic(const PlainArithmetic&) = delete;
  PlainArithmetic& operator=(const PlainArithmetic&) = delete;

 private:
  bool convolutions_;
  bool products_;
  bool benchmark_;
  bool deterministic_;
};

}  // namespace kindred::system
