#include "system/out_of_memory.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <opencv2/core.hpp>

#include "system/device.h"

namespace kindred::system {

OutOfMemory::~OutOfMemory() = default;

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const OutOfMemory*>(&error) != nullptr) return true;
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  if (const auto* of_opencv = dynamic_cast<const cv::Exception*>(&error)) {
    return of_opencv->code == cv::Error::StsNoMem;
  }
  // LibTorch has a type of its own for what its allocator of a GPU lacks alone: none for what CUDA and its
  // libraries (cuBLAS; cuDNN, whose version 9 has longer names) lack, and none where a graph is run, whose
  // error quotes the first.
  constexpr std::array signs = {"DefaultCPUAllocator: ", "CUDA out of memory", "CUDA error: out of memory",
                                "_STATUS_ALLOC_FAILED", "_ALLOCATION_FAILED"};
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const char* text = of_torch == nullptr ? error.what() : of_torch->what_without_backtrace();
  const auto says = [text](const char* part) { return std::strstr(text, part) != nullptr; };
  return std::any_of(signs.begin(), signs.end(), says) ||
         (of_torch != nullptr && says(": allocation failed"));
}

OutOfMemory batch_too_large(torch::Device device, const torch::Tensor& images, const std::string& remedy) {
  return OutOfMemory(device_text(device) + " does not have enough memory for a batch of " +
                     std::to_string(images.size(0)) + " images of " + std::to_string(images.size(2)) + " x " +
                     std::to_string(images.size(3)) + " pixels; " + remedy);
}

}  // namespace kindred::system
