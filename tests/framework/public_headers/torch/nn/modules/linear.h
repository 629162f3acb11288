// Stands in for LibTorch's header: see ../../../CMakeLists.txt.
#pragma once

namespace torch::nn {
class Linear {};
}  // namespace torch::nn
