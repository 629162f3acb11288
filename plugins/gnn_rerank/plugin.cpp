#include "kindred/core/plugin.h"

#include "gnn_rerank.h"

KINDRED_PLUGIN("gnn_rerank", "1.0.0", "Re-ranking by message passing in a graph of nearest neighbors") {
  catalog.add<kindred::gnn_rerank::GnnRerank>("gnn_rerank");
}
