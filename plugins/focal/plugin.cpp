#include "kindred/core/plugin.h"

#include "focal.h"

KINDRED_PLUGIN("focal", "1.0.0", "Focal classification loss") {
  catalog.add<kindred::focal::Focal>("focal");
}
