// The search for neighbors that encoding needs, within bounded memory.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "kindred/core/schema.h"
#include "kindred/search/nearest_rows.h"
#include "kindred/search/retrieval.h"

namespace kindred::k_reciprocal {

/// Declares k1 and k2 of a component's Params.
/// @param k1_of_paper, k2_of_paper end their descriptions: "; the paper: 20"
template <class Params>
void add_encoding_parameters(Schema<Params>& schema, const std::string& k1_of_paper = "",
                             const std::string& k2_of_paper = "") {
  schema.add("k1", &Params::k1, "k-reciprocal neighbors that characterize an image" + k1_of_paper)
      .range(1, 1000);
  schema
      .add(
          "k2", &Params::k2,
          "nearest images, including itself, whose neighborhoods are averaged; 1: no averaging" + k2_of_paper)
      .range(1, 1000);
}

/// Declares search and memory_mib of a component's Params.
template <class Params>
void add_search_parameters(Schema<Params>& schema, const std::string& use_of_memory = "") {
  schema.add("search", &Params::search,
             "precision of the neighbor search; does not change the result, since candidates are compared in "
             "64 bits; 'auto': the fastest on this machine",
             search_precision_choices());
  schema
      .add("memory_mib", &Params::memory_mib,
           "memory to use in addition to the descriptors and the result" + use_of_memory)
      .range(16, 1 << 24)
      .unit("MiB");
}

struct NeighborSearch {
  std::int64_t k1 = 0;
  std::int64_t k2 = 0;
  std::int64_t products_of = 0;  ///< as NearestOptions::products_of, where memory is left for it
  SearchPrecision precision = SearchPrecision::automatic;
  std::int64_t memory_mib = 1024;  ///< beside the rows: for the search, its result and encode_neighbors()
  torch::Device device = torch::kCPU;
  RetrievalHost* host = nullptr;  ///< searches, and shows progress; nullptr: this process does so alone
  std::string component;          ///< "role/name": for errors
  std::string remedy;             ///< what messages offer beside more memory: " or ...", or ""
};

/// Warns of a k1 or k2 of more than half of the images.
template <class Params>
void warn_of_sizes(const Params& params, std::int64_t images, RetrievalHost& host) {
  warn_of_large_k("k1", params.k1, images, host);
  warn_of_large_k("k2", params.k2, images, host);
}

/// The search that a component's parameters ask for.
template <class Params>
NeighborSearch search_of(const Params& params, torch::Device device, RetrievalHost* host,
                         std::string component) {
  NeighborSearch search;
  search.k1 = params.k1;
  search.k2 = params.k2;
  search.precision = params.search;
  search.memory_mib = params.memory_mib;
  search.device = device;
  search.host = host;
  search.component = std::move(component);
  return search;
}

/// Of each row as many nearest as encode_neighbors() asks for, with the farthest; with the products of the
/// first rows if they fit into the memory. Throws ComponentError when the memory is too little, with what
/// would do.
/// @param rows [N, D]
[[nodiscard]] NearestRows find_neighbors(const torch::Tensor& rows, const NeighborSearch& search);

}  // namespace kindred::k_reciprocal
