// Stands in for LibTorch's header: see ../../CMakeLists.txt.
#pragma once

namespace torch::nn {
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
};
}  // namespace torch::nn
