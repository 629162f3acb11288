// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "polynomial.h"

KINDRED_PLUGIN("polynomial", "0.1.0", "A learning rate that falls along a power") {
  catalog.add<my_plugins::Polynomial>("polynomial");
}
