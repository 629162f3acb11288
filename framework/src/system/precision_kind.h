// The precision of a network's computations, as a recipe asks for it.
#pragma once

namespace kindred::system {

/// Of the floating-point numbers that a network computes with. Weights, losses and statistics are always
/// fp32.
enum class Precision {
  trained,    ///< of describing images: what the model was trained in
  automatic,  ///< what suits the device
  fp32,
  fp16,
  bf16
};

}  // namespace kindred::system
