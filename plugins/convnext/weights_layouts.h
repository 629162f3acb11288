// What other programs call the tensors of ConvNeXt.
#pragma once

#include <vector>

#include "kindred/nn/weights_layout.h"

namespace kindred::convnext {

[[nodiscard]] std::vector<WeightsLayout> convnext_weights_layouts();

}  // namespace kindred::convnext
