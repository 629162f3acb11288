// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "file_names.h"

KINDRED_PLUGIN("file_names", "0.1.0", "Data sets whose file names say whom they show") {
  catalog.add<my_plugins::FileNames>("file_names");
}
