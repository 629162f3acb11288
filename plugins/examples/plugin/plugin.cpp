// The entry point of the plugin: its name, its version, a one-line summary and the components that it offers.
// The name in catalog.add is the `type` in a recipe. A library may offer several components of several roles;
// one plugin per idea keeps recipes readable.
#include "kindred/core/plugin.h"

#include "my_plugin.h"

KINDRED_PLUGIN("my_plugin", "0.1.0", "One line that says what the plugin is for") {
  catalog.add<my_plugins::MyPlugin>("my_plugin");
}
