#include "kindred/core/plugin.h"

#include "mgn.h"

KINDRED_PLUGIN("mgn", "1.0.0", "Three branches of different granularity: whole body, halves and thirds") {
  catalog.add<kindred::mgn::Mgn>("mgn");
}
