#include "kindred/core/plugin.h"

#include "triplet.h"

KINDRED_PLUGIN("triplet", "1.0.0", "Batch-hard triplet loss") {
  catalog.add<kindred::triplet::Triplet>("triplet");
}
