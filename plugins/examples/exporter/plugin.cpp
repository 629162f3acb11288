// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "operation_list.h"

KINDRED_PLUGIN("operation_list", "0.1.0", "Models as lists of their operations") {
  catalog.add<my_plugins::OperationList>("operation_list");
}
