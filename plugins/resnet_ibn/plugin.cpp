#include "kindred/core/plugin.h"

#include "resnet_ibn.h"

KINDRED_PLUGIN("resnet_ibn", "1.0.0", "Residual networks with instance and batch normalization (IBN-a)") {
  catalog.add<kindred::resnet_ibn::ResnetIbn>("resnet_ibn");
}
