#include "kindred/core/plugin.h"

#include "naic.h"

KINDRED_PLUGIN("naic", "1.0.0", "Folders and training list of the NAIC competition") {
  catalog.add<kindred::naic::Naic>("naic");
}
