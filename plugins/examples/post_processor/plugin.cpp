// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "power_norm.h"

KINDRED_PLUGIN("power_norm", "0.1.0", "Descriptors without single large values") {
  catalog.add<my_plugins::PowerNorm>("power_norm");
}
