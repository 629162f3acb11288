// Whether batch normalizations in training are the fused operation of kindred/nn/batch_norm.h.
#pragma once

#include "kindred/core/export.h"

namespace kindred {

/// While one lives, they are LibTorch's own, whatever the map: for whoever takes their place there.
class KINDRED_API UnfusedNorms {
 public:
  UnfusedNorms();
  ~UnfusedNorms();
  UnfusedNorms(const UnfusedNorms&) = delete;
  UnfusedNorms& operator=(const UnfusedNorms&) = delete;

  [[nodiscard]] static bool are_wanted();
};

}  // namespace kindred
