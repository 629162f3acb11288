// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "mean_rank.h"

KINDRED_PLUGIN("mean_rank", "0.1.0", "How far a user has to read") {
  catalog.add<my_plugins::MeanRank>("mean_rank");
}
