#include "kindred/core/plugin.h"

#include "adam.h"
#include "sgd.h"

KINDRED_PLUGIN("optimizers", "1.0.0", "Optimizers of LibTorch: SGD, Adam, AdamW") {
  catalog.add<kindred::optimizers::Sgd>("sgd");
  catalog.add<kindred::optimizers::Adam>("adam");
  catalog.add<kindred::optimizers::AdamW>("adamw");
}
