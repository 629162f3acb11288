// The entry point: the plugin's name, version and summary, and the components that it offers, each with the
// name by which a search asks for it.
#include "kindred/core/plugin.h"

#include "sign_bits.h"

KINDRED_PLUGIN("sign_bits", "0.1.0", "Search by the signs of random products") {
  catalog.add<my_plugins::SignBits>("sign_bits");
}
