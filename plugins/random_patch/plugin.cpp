#include "kindred/core/plugin.h"

#include "random_patch.h"

KINDRED_PLUGIN("random_patch", "1.0.0", "Patches of other training images, pasted as occlusions") {
  catalog.add<kindred::random_patch::RandomPatch>("random_patch");
}
