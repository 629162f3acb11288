#include "kindred/core/plugin.h"

#include "naic.h"

KINDRED_PLUGIN("naic", "1.0.0", "The NAIC competition's folders and training list") {
  catalog.add<kindred::naic::Naic>("naic");
}
