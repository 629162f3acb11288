#include "kindred/core/plugin.h"

#include "gnn_rerank.h"

KINDRED_PLUGIN("gnn_rerank", "1.0.0", "Re-ranking by messages along a graph of neighbours") {
  catalog.add<kindred::gnn_rerank::GnnRerank>("gnn_rerank");
}
