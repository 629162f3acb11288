#include "kindred/core/plugin.h"

#include "agglomerative_search.h"

KINDRED_PLUGIN("agglomerative_search", "1.0.0",
               "Pseudo labels from clusters of queries and their most similar gallery images") {
  catalog.add<kindred::agglomerative_search::AgglomerativeSearch>("agglomerative_search");
}
