#include "kindred/plugin.h"

#include "cross_entropy.h"

KINDRED_PLUGIN("cross_entropy", "1.0.0", "Classification loss with label smoothing") {
  catalog.add<kindred::CrossEntropy>("cross_entropy");
}
