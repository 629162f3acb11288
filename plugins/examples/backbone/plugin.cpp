// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "plain_cnn.h"

KINDRED_PLUGIN("plain_cnn", "0.1.0", "A plain chain of convolutions") {
  catalog.add<my_plugins::PlainCnn>("plain_cnn");
}
