// The entry of the plugin: its name, version and one line about it, then the components that it offers. The
// name in catalog.add is what a recipe says as `type`. One library may offer several components, of several
// roles; one plugin for one idea keeps a recipe readable.
#include "kindred/core/plugin.h"

#include "local_grayscale.h"

KINDRED_PLUGIN("local_grayscale", "1.0.0", "Grey rectangles, against features that live by colour alone") {
  catalog.add<my_plugins::LocalGrayscale>("local_grayscale");
}
