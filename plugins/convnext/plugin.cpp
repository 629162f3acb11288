#include "kindred/core/plugin.h"

#include "convnext.h"

KINDRED_PLUGIN("convnext", "1.0.0", "ConvNeXt, a convolutional network of the 2020s") {
  catalog.add<kindred::convnext::Convnext>("convnext");
}
