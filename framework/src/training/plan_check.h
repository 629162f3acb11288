// Everything about a recipe for one model that can be known without data or a device.
#pragma once

#include <string>

#include "recipe/plan.h"

namespace kindred::training {

/// Builds the network on the CPU, for two identities or as many as the file has that it starts from, and puts
/// the losses on its outputs. Files of weights are checked where they are there. Where the augmentations fix
/// the size of images, an image goes through them, and two through the network, so that a size which does not
/// suit it is found. Losses that need pairs are checked against the sampler. Returns a summary of one screen,
/// with warnings of settings that do nothing; throws what building throws.
[[nodiscard]] std::string check_plan(const recipe::Plan& plan);

}  // namespace kindred::training
