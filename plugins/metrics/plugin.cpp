#include "kindred/core/plugin.h"

#include "open_set.h"
#include "retrieval.h"

KINDRED_PLUGIN("metrics", "1.0.0", "mAP, CMC and mINP of rankings; thresholds and ROC curve of distances") {
  catalog.add<kindred::metrics::OpenSet>("open_set");
  catalog.add<kindred::metrics::Retrieval>("retrieval");
}
