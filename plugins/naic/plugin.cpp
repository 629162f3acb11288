#include "kindred/core/plugin.h"

#include "naic.h"
#include "naic_layout.h"
#include "naic_score.h"

KINDRED_PLUGIN("naic", "1.0.0", "Folders and training list of the NAIC competition, and its score") {
  catalog.add<kindred::naic::Naic>("naic");
  catalog.add<kindred::naic::NaicLayout>("naic");
  catalog.add<kindred::naic::NaicScore>("naic_score");
}
