// What query expansion and database augmentation share: a descriptor averaged with its nearest.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/search/nearest_rows.h"
#include "kindred/search/retrieval.h"

namespace kindred::query_expansion {

struct ExpansionParams {
  std::int64_t k = 5;
  double alpha = 3;
  SearchPrecision search = SearchPrecision::automatic;
};

void add_expansion_parameters(Schema<ExpansionParams>& schema);

/// Warns of a k that is more than half of the images that are averaged with: whatever they show, rows then
/// move towards the same mean.
/// @param others how many images each row can be averaged with
void warn_of_k(std::int64_t k, std::int64_t others, RetrievalHost& host);

/// For each row x the direction of x + sum_j w_j g_j over its first k of `nearest`, where w_j =
/// cos(x, g_j)^alpha for a positive cosine and 0 otherwise: x itself weighs 1, and an image that points away
/// weighs nothing, with alpha = 0 too. So the sum is never 0. Added up in 64 bits, x first, then the nearest.
/// @param rows [N, D] and @param gallery [G, D], of length 1
/// @param nearest of `rows` in `gallery`
/// @param among_themselves `rows` are `gallery`, and a row is not counted as its own neighbor
/// @param out [N, D]; may be `rows` where `gallery` is other memory
void expand(const torch::Tensor& rows, const torch::Tensor& gallery, const NearestRows& nearest,
            const ExpansionParams& params, bool among_themselves, const torch::Tensor& out);

}  // namespace kindred::query_expansion
