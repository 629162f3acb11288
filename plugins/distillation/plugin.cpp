#include "kindred/core/plugin.h"

#include "distillation.h"

KINDRED_PLUGIN("distillation", "1.0.0", "Features that follow those of another model") {
  catalog.add<kindred::distillation::Distillation>("distillation");
}
