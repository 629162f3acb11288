#include "kindred/core/plugin.h"

#include "dbscan_jaccard.h"
#include "k_reciprocal.h"

KINDRED_PLUGIN("k_reciprocal", "1.0.0", "Re-ranking and clustering by k-reciprocal neighbors") {
  catalog.add<kindred::k_reciprocal::DbscanJaccard>("dbscan_jaccard");
  catalog.add<kindred::k_reciprocal::KReciprocal>("k_reciprocal");
}
