// Stands in for LibTorch's header: see ../../../CMakeLists.txt.
#pragma once

namespace torch::nn {
class BatchNorm2dImpl;
}  // namespace torch::nn
