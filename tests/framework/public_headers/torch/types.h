// Stands in for LibTorch's header: see ../CMakeLists.txt.
#pragma once

namespace torch {
class Tensor {};
}  // namespace torch
