#include "kindred/core/plugin.h"

#include "se_resnet.h"

KINDRED_PLUGIN("se_resnet", "1.0.0", "Residual networks of depth 50 to 152 with squeeze and excitation") {
  catalog.add<kindred::se_resnet::SeResnet>("se_resnet");
}
