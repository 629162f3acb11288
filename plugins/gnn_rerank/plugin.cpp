#include "kindred/plugin.h"

#include "gnn_rerank.h"

KINDRED_PLUGIN("gnn_rerank", "1.0.0", "Re-ranking by messages along a graph of neighbours") {
  catalog.add<kindred::GnnRerank>("gnn_rerank");
}
