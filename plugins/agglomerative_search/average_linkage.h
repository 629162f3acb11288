// Agglomerative clustering by average linkage, without a matrix of distances.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace kindred::agglomerative_search {

struct LinkageOptions {
  double cut = 0.43;  ///< clusters are joined as long as their distance is at most this; in [0, 2]
  torch::Device device = torch::kCPU;                                   ///< where products are computed
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< in rows, may be empty
};

/// Starts from single rows and always joins the two nearest clusters, until none are within the cut. The
/// distance of two clusters is the mean cosine distance between their rows (UPGMA). Of equally near pairs the
/// one with the lowest row is joined first, then the one whose other cluster has the lower lowest row.
///
/// For rows of length 1 the mean distance of clusters A and B is 1 - (sum A / |A|) . (sum B / |B|), so sums
/// of rows take the place of the matrix. Joining can never bring a cluster nearer to a third one than the
/// nearer of its parts was. Hence all pairs that are nearest to each other can be joined at once, with the
/// same result (Sumengen et al., Scaling Hierarchical Agglomerative Clustering to Billion-sized Datasets,
/// 2021), and a cluster without another one within the cut is finished. Nearest clusters are looked for by
/// products of 32-bit floats whose error is bounded, and what the bound cannot exclude is compared in 64
/// bits.
///
/// Work: some N^2 D in all where clusters are small. Memory: the rows once more, and products of 64 MB, or of
/// one row where that is more.
/// @param rows [N, D], 32-bit floats on the CPU, contiguous, each of length 1
/// @return for each row the lowest row of its cluster
[[nodiscard]] std::vector<std::int64_t> average_linkage(const torch::Tensor& rows,
                                                        const LinkageOptions& options);

}  // namespace kindred::agglomerative_search
