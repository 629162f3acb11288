#include "kindred/plugin.h"

#include "k_reciprocal.h"

KINDRED_PLUGIN("k_reciprocal", "1.0.0", "Re-ranking by k-reciprocal neighbours") {
  catalog.add<kindred::KReciprocal>("k_reciprocal");
}
