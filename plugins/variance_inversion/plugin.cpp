#include "kindred/core/plugin.h"

#include "variance_inversion.h"

KINDRED_PLUGIN("variance_inversion", "1.0.0", "Normalization that inverts some of the channels") {
  catalog.add<kindred::variance_inversion::VarianceInversion>("variance_inversion");
}
