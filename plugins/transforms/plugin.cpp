#include "kindred/core/plugin.h"

#include "horizontal_flip.h"
#include "normalize.h"
#include "pad_crop.h"
#include "random_rotation.h"
#include "resize.h"

KINDRED_PLUGIN("transforms", "1.0.0",
               "Changes geometry and scale of images: resize, mirror, shift, rotate, normalize") {
  catalog.add<kindred::transforms::Resize>("resize");
  catalog.add<kindred::transforms::HorizontalFlip>("horizontal_flip");
  catalog.add<kindred::transforms::PadCrop>("pad_crop");
  catalog.add<kindred::transforms::RandomRotation>("random_rotation");
  catalog.add<kindred::transforms::Normalize>("normalize");
}
