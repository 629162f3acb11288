#include "kindred/core/plugin.h"

#include "osnet.h"

KINDRED_PLUGIN("osnet", "1.0.0", "Omni-scale networks, designed for re-identification") {
  catalog.add<kindred::osnet::Osnet>("osnet");
}
