#include "kindred/core/plugin.h"

#include "distance_ensemble.h"
#include "feature_ensemble.h"

KINDRED_PLUGIN("ensemble", "1.0.0", "Several models searched as one") {
  catalog.add<kindred::ensemble::FeatureEnsemble>("feature_ensemble");
  catalog.add<kindred::ensemble::DistanceEnsemble>("distance_ensemble");
}
