#include "kindred/core/plugin.h"

#include "resnet.h"

KINDRED_PLUGIN("resnet", "1.0.0", "Residual networks of depth 18 to 152 with torchvision's tensor names") {
  catalog.add<kindred::resnet::Resnet>("resnet");
}
