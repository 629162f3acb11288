#include "kindred/plugin.h"

#include "identity_sampler.h"
#include "shuffle_sampler.h"

KINDRED_PLUGIN("samplers", "1.0.0",
               "Which training images form a batch: by identity, or all in random order") {
  catalog.add<kindred::IdentitySampler>("identity");
  catalog.add<kindred::ShuffleSampler>("shuffle");
}
