// What OpenAI's CLIP, open_clip and CLIP-ReID call the tensors of image and text encoders.
#pragma once

#include <vector>

#include "kindred/nn/weights_layout.h"

namespace kindred::clip {

/// Of the backbones: "visual..." of OpenAI's and open_clip's files, "image_encoder..." of CLIP-ReID's.
[[nodiscard]] std::vector<WeightsLayout> vit_layouts();
[[nodiscard]] std::vector<WeightsLayout> resnet_layouts();

/// Of the head clip_reid, which has the backbone's last block or stage as its own.
[[nodiscard]] std::vector<WeightsLayout> head_layouts();

/// Of the loss prompt_learning.
[[nodiscard]] std::vector<WeightsLayout> text_layouts();

}  // namespace kindred::clip
