#include "kindred/core/plugin.h"

#include "random_erasing.h"

KINDRED_PLUGIN("random_erasing", "1.0.0", "Erases rectangles of images, as occlusions") {
  catalog.add<kindred::random_erasing::RandomErasing>("random_erasing");
}
