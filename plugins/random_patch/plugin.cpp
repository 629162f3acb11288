#include "kindred/core/plugin.h"

#include "random_patch.h"

KINDRED_PLUGIN("random_patch", "1.0.0", "Pastes patches of other training images, as occlusions") {
  catalog.add<kindred::random_patch::RandomPatch>("random_patch");
}
