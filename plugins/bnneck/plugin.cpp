#include "kindred/core/plugin.h"

#include "bnneck.h"

KINDRED_PLUGIN("bnneck", "1.0.0", "One pooled vector with a batch-norm neck before the classifier") {
  catalog.add<kindred::bnneck::Bnneck>("bnneck");
}
