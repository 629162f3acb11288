#include "kindred/core/plugin.h"

#include "camera_balanced_sampler.h"
#include "identity_sampler.h"
#include "oversampling_sampler.h"
#include "shuffle_sampler.h"
#include "skip_sampler.h"

KINDRED_PLUGIN("samplers", "1.0.0",
               "Chooses the training images of a batch: by identity, or all in random order") {
  catalog.add<kindred::samplers::IdentitySampler>("identity");
  catalog.add<kindred::samplers::OversamplingSampler>("oversampling");
  catalog.add<kindred::samplers::SkipSampler>("skip");
  catalog.add<kindred::samplers::CameraBalancedSampler>("camera_balanced");
  catalog.add<kindred::samplers::ShuffleSampler>("shuffle");
}
