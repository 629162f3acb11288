#include "kindred/plugin.h"

#include "auto_contrast.h"
#include "color_jitter.h"
#include "gaussian_blur.h"
#include "random_grayscale.h"

KINDRED_PLUGIN("photometric", "1.0.0", "Other light, colours and sharpness, as other cameras have them") {
  catalog.add<kindred::ColorJitter>("color_jitter");
  catalog.add<kindred::RandomGrayscale>("random_grayscale");
  catalog.add<kindred::GaussianBlur>("gaussian_blur");
  catalog.add<kindred::AutoContrast>("auto_contrast");
}
