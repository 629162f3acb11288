#include "kindred/plugin.h"

#include "variance_inversion.h"

KINDRED_PLUGIN("variance_inversion", "1.0.0", "Normalisation that inverts some of the channels") {
  catalog.add<kindred::VarianceInversion>("variance_inversion");
}
