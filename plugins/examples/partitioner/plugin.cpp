// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "brightness.h"

KINDRED_PLUGIN("brightness", "0.1.0", "Dark and bright images") {
  catalog.add<my_plugins::Brightness>("brightness");
}
