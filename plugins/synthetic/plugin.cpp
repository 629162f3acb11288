#include "kindred/core/plugin.h"

#include "synthetic_dataset.h"

KINDRED_PLUGIN("synthetic", "1.0.0", "Synthetic people, rendered by code: a data set without a download") {
  catalog.add<kindred::synthetic::SyntheticDataset>("synthetic", {.formerly = {"drawn"}});
}
