#include "kindred/core/plugin.h"

#include "naic.h"
#include "naic_layout.h"

KINDRED_PLUGIN("naic", "1.0.0", "The NAIC competition's folders and training list") {
  catalog.add<kindred::naic::Naic>("naic");
  catalog.add<kindred::naic::NaicLayout>("naic");
}
