#include "kindred/core/plugin.h"

#include "manifest.h"
#include "manifest_layout.h"

KINDRED_PLUGIN("manifest", "1.0.0", "Any images, listed in a CSV file") {
  catalog.add<kindred::manifest::Manifest>("manifest");
  catalog.add<kindred::manifest::ManifestLayout>("manifest");
}
