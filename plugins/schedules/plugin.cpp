#include "kindred/core/plugin.h"

#include "warmup_cosine.h"
#include "warmup_multistep.h"

KINDRED_PLUGIN("schedules", "1.0.0", "Changes the learning rate: warm-up, then steps or a cosine") {
  catalog.add<kindred::schedules::WarmupMultistep>("warmup_multistep");
  catalog.add<kindred::schedules::WarmupCosine>("warmup_cosine");
}
