// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "local_grayscale.h"

KINDRED_PLUGIN("local_grayscale", "0.1.0", "Gray rectangles, so that features do not depend on color alone") {
  catalog.add<my_plugins::LocalGrayscale>("local_grayscale");
}
