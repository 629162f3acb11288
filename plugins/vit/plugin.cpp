#include "kindred/core/plugin.h"

#include "vit.h"

KINDRED_PLUGIN("vit", "1.0.0", "Vision transformers, with overlapping patches, cameras and views") {
  catalog.add<kindred::vit::Vit>("vit");
}
