#include "kindred/core/plugin.h"

#include "auto_contrast.h"
#include "color_jitter.h"
#include "gaussian_blur.h"
#include "random_grayscale.h"

KINDRED_PLUGIN("photometric", "1.0.0", "Changes light, colors and sharpness, as between cameras") {
  catalog.add<kindred::photometric::ColorJitter>("color_jitter");
  catalog.add<kindred::photometric::RandomGrayscale>("random_grayscale");
  catalog.add<kindred::photometric::GaussianBlur>("gaussian_blur");
  catalog.add<kindred::photometric::AutoContrast>("auto_contrast");
}
