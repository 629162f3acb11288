#include "kindred/core/plugin.h"

#include "resnet.h"

KINDRED_PLUGIN("resnet", "1.0.0",
               "Residual networks of depth 18 to 152 with the tensor names of torchvision") {
  catalog.add<kindred::resnet::Resnet>("resnet");
}
