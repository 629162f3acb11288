#include "kindred/core/plugin.h"

#include "mgn.h"

KINDRED_PLUGIN("mgn", "1.0.0", "Three branches of different granularity: the whole body, halves and thirds") {
  catalog.add<kindred::mgn::Mgn>("mgn");
}
