#include "kindred/plugin.h"

#include "drawn_dataset.h"

KINDRED_PLUGIN("drawn", "1.0.0", "Pedestrians drawn by code: a data set without a download") {
  catalog.add<kindred::DrawnDataset>("drawn");
}
