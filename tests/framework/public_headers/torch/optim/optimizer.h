// Stands in for LibTorch's header: see ../../CMakeLists.txt.
#pragma once

namespace torch::optim {
class Optimizer {
 public:
  virtual ~Optimizer() = default;
};
}  // namespace torch::optim
