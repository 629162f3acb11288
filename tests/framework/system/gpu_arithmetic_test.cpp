#include "system/gpu_arithmetic.h"

#include <ATen/Context.h>
#include <doctest/doctest.h>

using namespace kindred::system;

namespace {

bool convolutions() {
  return at::globalContext().allowTF32CuDNN();
}
bool products() {
  return at::globalContext().allowTF32CuBLAS();
}

}  // namespace

TEST_CASE("TF32 is allowed where it is asked for, and nowhere during a comparison") {
  const bool convolutions_before = convolutions();
  const bool products_before = products();
  set_gpu_arithmetic(TensorFloat::convolutions, true);
  CHECK(convolutions() == convolutions_before);  // LibTorch's defaults
  CHECK(products() == products_before);
  CHECK(at::globalContext().benchmarkCuDNN());
  set_gpu_arithmetic(TensorFloat::all, true);
  CHECK(convolutions());
  CHECK(products());
  {
    const PlainArithmetic plain;
    CHECK_FALSE(convolutions());
    CHECK_FALSE(products());
    CHECK_FALSE(at::globalContext().benchmarkCuDNN());
    CHECK(at::globalContext().deterministicCuDNN());
  }
  CHECK(convolutions());
  CHECK(products());
  CHECK(at::globalContext().benchmarkCuDNN());
  CHECK_FALSE(at::globalContext().deterministicCuDNN());
  set_gpu_arithmetic(TensorFloat::off, false);
  CHECK_FALSE(convolutions());
  CHECK_FALSE(products());
  CHECK_FALSE(at::globalContext().benchmarkCuDNN());
  CHECK(gpu_arithmetic_text(torch::kCPU, TensorFloat::all, true).empty());
}
