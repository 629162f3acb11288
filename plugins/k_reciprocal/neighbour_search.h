// The search for neighbours that encoding needs, within bounded memory.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "kindred/search/nearest_rows.h"

namespace kindred::k_reciprocal {

struct NeighbourSearch {
  std::int64_t k1 = 10;
  std::int64_t k2 = 2;
  std::int64_t products_of = 0;  ///< as NearestOptions::products_of, where memory is left for it
  SearchPrecision precision = SearchPrecision::automatic;
  std::int64_t memory_mib = 1024;  ///< beside the rows: for the search, its result and encode_neighbours()
  torch::Device device = torch::kCPU;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< may be empty
  std::string component;                                                ///< "role/name": for errors
  std::string remedy;  ///< what messages offer beside more memory: " or ...", or ""
};

/// Of each row as many nearest as encode_neighbours() asks for, with the farthest; with the products of the
/// first rows if they fit into the memory. Throws ComponentError when the memory is too little, with what
/// would do.
/// @param rows [N, D]
[[nodiscard]] NearestRows find_neighbours(const torch::Tensor& rows, const NeighbourSearch& search);

}  // namespace kindred::k_reciprocal
