// Where a GPU may compute in TF32, as a recipe asks for it.
#pragma once

namespace kindred::system {

/// Which 32-bit products of a GPU may round their factors to TF32 (10 bits after the point).
enum class TensorFloat {
  off,
  convolutions,  ///< LibTorch's default
  all            ///< matrix products of networks too
};

}  // namespace kindred::system
