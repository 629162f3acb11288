#include "kindred/core/plugin.h"

#include "osnet.h"
#include "osnet_ain.h"

KINDRED_PLUGIN("osnet", "1.1.0", "Omni-scale networks, designed for re-identification") {
  catalog.add<kindred::osnet::Osnet>("osnet");
  catalog.add<kindred::osnet::OsnetIbn>("osnet_ibn");
  catalog.add<kindred::osnet::OsnetAin>("osnet_ain");
}
