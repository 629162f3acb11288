#include "kindred/plugin.h"

#include "distance_ensemble.h"
#include "feature_ensemble.h"

KINDRED_PLUGIN("ensemble", "1.0.0", "Several models searched as one") {
  catalog.add<kindred::FeatureEnsemble>("feature_ensemble");
  catalog.add<kindred::DistanceEnsemble>("distance_ensemble");
}
