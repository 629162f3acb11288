#include "kindred/core/plugin.h"

#include "faiss_index.h"

KINDRED_PLUGIN("faiss", "1.0.0", "Indexes of FAISS for large galleries: flat, IVF and HNSW") {
  catalog.add<kindred::faiss::Flat>("flat");
  catalog.add<kindred::faiss::Ivf>("ivf");
  catalog.add<kindred::faiss::Hnsw>("hnsw");
}
