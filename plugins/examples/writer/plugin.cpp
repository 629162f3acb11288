// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "line_lists.h"

KINDRED_PLUGIN("line_lists", "0.1.0", "Rankings as lines of words") {
  catalog.add<my_plugins::LineLists>("line_lists");
}
