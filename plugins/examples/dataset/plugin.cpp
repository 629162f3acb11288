// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "named_files.h"

KINDRED_PLUGIN("named_files", "0.1.0", "Images whose names say whom they show") {
  catalog.add<my_plugins::NamedFiles>("named_files");
}
