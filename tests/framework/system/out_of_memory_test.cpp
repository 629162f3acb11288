#include "system/out_of_memory.h"

#include <doctest/doctest.h>
#include <torch/jit.h>
#include <torch/torch.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <new>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <string>

using namespace kindred;
using namespace kindred::system;

namespace {

/// Whether what an action throws says that memory did not suffice.
bool says_out_of_memory(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    CAPTURE(error.what());
    return is_out_of_memory(error);
  }
  FAIL_CHECK("nothing was thrown");
  return false;
}

}  // namespace

TEST_CASE("memory that does not suffice is known as that, whoever asked for it") {
  // More than any machine has.
  CHECK(says_out_of_memory([] { torch::empty({std::int64_t{1} << 58}); }));
  CHECK(says_out_of_memory([] {
    torch::jit::compile("def f():\n  return torch.zeros([288230376151711744])\n")->run_method("f");
  }));
  CHECK(says_out_of_memory([] { throw std::bad_alloc(); }));
  CHECK(says_out_of_memory([] { throw OutOfMemory("of a batch"); }));
  CHECK(says_out_of_memory([] { CV_Error(cv::Error::StsNoMem, "of an image"); }));
}

TEST_CASE(
    "memory that a GPU lacks is known as that, whether LibTorch, CUDA or a library of it asked for it") {
  // What LibTorch makes of the codes of CUDA, cuBLAS and cuDNN.
  for (const auto* text :
       {"CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.10 GiB",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API "
        "call",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"}) {
    CAPTURE(text);
    CHECK(says_out_of_memory([&] { TORCH_CHECK(false, text); }));
    CHECK(says_out_of_memory([&] { throw std::runtime_error(std::string("in a graph: ") + text); }));
  }
  for (const auto* text : {"CUDA error: no kernel image is available for execution on the device",
                           "CUDA error: device-side assert triggered",
                           "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`",
                           "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"}) {
    CAPTURE(text);
    CHECK_FALSE(says_out_of_memory([&] { TORCH_CHECK(false, text); }));
  }
}

TEST_CASE("another error is none of memory") {
  CHECK_FALSE(says_out_of_memory([] { torch::ones({2, 3}).matmul(torch::ones({2, 3})); }));
  CHECK_FALSE(says_out_of_memory([] {
    torch::jit::compile("def f():\n  return torch.ones([2, 3]) @ torch.ones([2, 3])\n")->run_method("f");
  }));
  CHECK_FALSE(says_out_of_memory([] { throw std::runtime_error("no space left"); }));
  CHECK_FALSE(says_out_of_memory([] { CV_Error(cv::Error::StsBadArg, "of an image"); }));
}
