#include "kindred/core/plugin.h"

#include "vehicleid.h"
#include "veri776.h"

KINDRED_PLUGIN("vehicles", "1.0.0", "Data sets of vehicles: VeRi-776 and VehicleID") {
  catalog.add<kindred::vehicles::VehicleId>("vehicleid");
  catalog.add<kindred::vehicles::Veri776>("veri776");
}
