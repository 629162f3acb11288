#include "kindred/plugin.h"

#include "agglomerative_search.h"

KINDRED_PLUGIN("agglomerative_search", "1.0.0",
               "Pseudo labels from clusters of queries and their best images") {
  catalog.add<kindred::AgglomerativeSearch>("agglomerative_search");
}
