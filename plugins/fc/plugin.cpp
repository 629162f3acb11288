#include "kindred/core/plugin.h"

#include "fc_head.h"

KINDRED_PLUGIN("fc", "1.0.0", "One pooled vector, with or without a fully connected layer") {
  catalog.add<kindred::fc::FcHead>("fc");
}
