#include "kindred/core/plugin.h"

#include "center_loss.h"

KINDRED_PLUGIN("center_loss", "1.0.0", "Centre loss with centres that learn by themselves") {
  catalog.add<kindred::center_loss::CenterLoss>("center");
}
