#include "kindred/core/plugin.h"

#include "distance_ensemble.h"
#include "feature_ensemble.h"

KINDRED_PLUGIN("ensemble", "1.0.0", "Searches with several models at once") {
  catalog.add<kindred::ensemble::FeatureEnsemble>("feature_ensemble");
  catalog.add<kindred::ensemble::DistanceEnsemble>("distance_ensemble");
}
