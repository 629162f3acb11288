// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "near_pairs.h"

KINDRED_PLUGIN("near_pairs", "0.1.0", "Pseudo identities from pairs of near images") {
  catalog.add<my_plugins::NearPairs>("near_pairs");
}
