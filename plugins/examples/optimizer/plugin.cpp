// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "rms_prop.h"

KINDRED_PLUGIN("rms_prop", "0.1.0", "RMSprop") {
  catalog.add<my_plugins::RmsProp>("rms_prop");
}
