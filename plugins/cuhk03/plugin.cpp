#include "kindred/core/plugin.h"

#include "cuhk03.h"

KINDRED_PLUGIN("cuhk03", "1.0.0", "CUHK03 in its two protocols") {
  catalog.add<kindred::cuhk03::Cuhk03>("cuhk03");
}
