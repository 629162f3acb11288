// The entry point of the plugin: its name, its version, a one-line summary and the components that it offers.
// The name in catalog.add is the `type` in a recipe. A library may offer several components of several roles;
// one plugin per idea keeps recipes readable.
#include "kindred/core/plugin.h"

#include "local_grayscale.h"

KINDRED_PLUGIN("local_grayscale", "1.0.0", "Gray rectangles, so that features do not depend on color alone") {
  catalog.add<my_plugins::LocalGrayscale>("local_grayscale");
}
