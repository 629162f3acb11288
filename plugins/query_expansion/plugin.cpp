#include "kindred/core/plugin.h"

#include "database_augmentation.h"
#include "query_expansion.h"

KINDRED_PLUGIN("query_expansion", "1.0.0",
               "Averages descriptors with those of their nearest gallery images") {
  catalog.add<kindred::query_expansion::QueryExpansion>("query_expansion");
  catalog.add<kindred::query_expansion::DatabaseAugmentation>("database_augmentation");
}
