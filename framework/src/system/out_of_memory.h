// When memory does not suffice, of a GPU or of the machine.
#pragma once

#include <torch/types.h>

#include <exception>
#include <string>

#include "kindred/core/error.h"

namespace kindred::system {

/// Memory did not suffice for what the message names.
class OutOfMemory : public Error {
 public:
  using Error::Error;
  OutOfMemory(const OutOfMemory&) = default;
  ~OutOfMemory() override;
};

/// Whether an exception says that memory did not suffice: an OutOfMemory, or one of LibTorch (of a GPU or of
/// the CPU), of OpenCV or of the standard library.
[[nodiscard]] bool is_out_of_memory(const std::exception& error);

/// "DEVICE does not have enough memory for a batch of 64 images of 256 x 128 pixels; REMEDY"
/// @param images [N, C, H, W]
[[nodiscard]] OutOfMemory batch_too_large(torch::Device device, const torch::Tensor& images,
                                          const std::string& remedy);

}  // namespace kindred::system
