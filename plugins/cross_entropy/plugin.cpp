#include "kindred/core/plugin.h"

#include "cross_entropy.h"

KINDRED_PLUGIN("cross_entropy", "1.0.0", "Classification loss with label smoothing") {
  catalog.add<kindred::cross_entropy::CrossEntropy>("cross_entropy");
}
