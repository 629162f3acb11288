#include "system/gpu_arithmetic.h"

#include <ATen/Context.h>

#include "system/device.h"

namespace kindred::system {
namespace {

void allow_products(bool allowed) {
  // Set only where it changes something: since 2.0 it speaks of processors, too.
  if (at::globalContext().allowTF32CuBLAS() != allowed) at::globalContext().setAllowTF32CuBLAS(allowed);
}

}  // namespace

void set_gpu_arithmetic(TensorFloat tf32, bool benchmark) {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(tf32 != TensorFloat::off);
  allow_products(tf32 == TensorFloat::all);
  context.setBenchmarkCuDNN(benchmark);
}

std::string gpu_arithmetic_text(torch::Device device, TensorFloat tf32, bool benchmark) {
  if (!device.is_cuda()) return "";
  std::string text = device.str() + ": ";
  if (compute_capability(device) < 8) {
    text += "32-bit products without TF32, which this GPU does not have";
  } else if (tf32 == TensorFloat::off) {
    text += "32-bit products without TF32 (machine.tf32)";
  } else {
    text += std::string("TF32 for 32-bit products of convolutions") +
            (tf32 == TensorFloat::all ? " and matrices" : ", not of matrices") + " (machine.tf32)";
  }
  return text + (benchmark ? "; cuDNN measures its algorithms (machine.cudnn_benchmark)"
                           : "; cuDNN does not measure its algorithms (machine.cudnn_benchmark)");
}

PlainArithmetic::PlainArithmetic()
    : convolutions_(at::globalContext().allowTF32CuDNN()),
      products_(at::globalContext().allowTF32CuBLAS()),
      benchmark_(at::globalContext().benchmarkCuDNN()),
      deterministic_(at::globalContext().deterministicCuDNN()) {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(false);
  allow_products(false);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
}

PlainArithmetic::~PlainArithmetic() {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(convolutions_);
  allow_products(products_);
  context.setBenchmarkCuDNN(benchmark_);
  context.setDeterministicCuDNN(deterministic_);
}

}  // namespace kindred::system
