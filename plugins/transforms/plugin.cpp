#include "kindred/plugin.h"

#include "horizontal_flip.h"
#include "normalize.h"
#include "pad_crop.h"
#include "resize.h"

KINDRED_PLUGIN("transforms", "1.0.0",
               "What every recipe does to its images: size, mirror, shift, normalise") {
  catalog.add<kindred::Resize>("resize");
  catalog.add<kindred::HorizontalFlip>("horizontal_flip");
  catalog.add<kindred::PadCrop>("pad_crop");
  catalog.add<kindred::Normalize>("normalize");
}
