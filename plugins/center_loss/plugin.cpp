#include "kindred/core/plugin.h"

#include "center_loss.h"

KINDRED_PLUGIN("center_loss", "1.0.0", "Center loss, whose centers have an optimizer of their own") {
  catalog.add<kindred::center_loss::CenterLoss>("center");
}
