// What other programs call the tensors of Swin Transformers.
#pragma once

#include <vector>

#include "kindred/nn/weights_layout.h"

namespace kindred::swin {

[[nodiscard]] std::vector<WeightsLayout> swin_weights_layouts();

}  // namespace kindred::swin
