#include "kindred/core/plugin.h"

#include "manifest.h"

KINDRED_PLUGIN("manifest", "1.0.0", "Any images, listed in a CSV file") {
  catalog.add<kindred::manifest::Manifest>("manifest");
}
