// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "same_camera.h"

KINDRED_PLUGIN("same_camera", "0.1.0", "Batches within a camera") {
  catalog.add<my_plugins::SameCamera>("same_camera");
}
