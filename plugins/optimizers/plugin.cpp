#include "kindred/plugin.h"

#include "adam.h"
#include "sgd.h"

KINDRED_PLUGIN("optimizers", "1.0.0", "LibTorch's optimisers: SGD, Adam, AdamW") {
  catalog.add<kindred::Sgd>("sgd");
  catalog.add<kindred::Adam>("adam");
  catalog.add<kindred::AdamW>("adamw");
}
