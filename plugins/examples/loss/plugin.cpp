// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name that is its `type` in a recipe.
#include "kindred/core/plugin.h"

#include "proxy_anchor.h"

KINDRED_PLUGIN("proxy_anchor", "0.1.0", "A learned proxy for each identity") {
  catalog.add<my_plugins::ProxyAnchor>("proxy_anchor");
}
