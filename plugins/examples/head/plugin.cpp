// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "drop_block.h"

KINDRED_PLUGIN("drop_block", "0.1.0", "A head that learns without a band of rows") {
  catalog.add<my_plugins::DropBlock>("drop_block");
}
