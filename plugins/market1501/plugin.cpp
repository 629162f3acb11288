#include "kindred/core/plugin.h"

#include "market1501.h"
#include "market1501_layout.h"

KINDRED_PLUGIN("market1501", "1.0.0",
               "Folders in the layout of Market-1501, DukeMTMC-reID and Occluded-Duke") {
  catalog.add<kindred::market1501::Market1501>("market1501");
  catalog.add<kindred::market1501::Market1501Layout>("market1501", {.formerly = {"market"}});
}
