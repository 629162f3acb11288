#include "kindred/search/nearest_share.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kindred/core/parallel.h"
#include "nearest_search.h"

namespace kindred {

NearestRows nearest_rows_of_share(const torch::Tensor& rows, const NearestOptions& options,
                                  const NearestShare& share) {
  return search_nearest_rows(rows, nullptr, options, share);
}

NearestRows nearest_rows_of_share(const torch::Tensor& query, const torch::Tensor& gallery,
                                  const NearestOptions& options, const NearestShare& share) {
  return search_nearest_rows(query, &gallery, options, share);
}

NearestRows merge_shares(const torch::Tensor& query, const torch::Tensor& gallery,
                         std::span<const NearestRows> shares) {
  NearestRows result;
  result.count = shares.front().count;
  result.rows.resize(shares.front().rows.size());
  result.distances.resize(shares.front().distances.size());
  result.farthest = shares.front().farthest;
  for (const auto& share : shares.subspan(1)) {
    for (std::size_t i = 0; i < result.farthest.size(); ++i) {
      result.farthest[i] = std::max(result.farthest[i], share.farthest[i]);
    }
  }
  struct Found {
    float distance;
    std::int32_t row;
  };
  const auto dim = query.size(1);
  const auto* queries = query.data_ptr<float>();
  const auto* images = gallery.data_ptr<float>();
  parallel_ranges(query.size(0), [&](std::int64_t first, std::int64_t last) {
    std::vector<Found> found;
    for (auto i = first; i < last; ++i) {
      found.clear();
      for (const auto& share : shares) {
        const auto rows = share.of(i);
        const auto distances = share.distances_of(i);
        for (std::size_t k = 0; k < rows.size() && rows[k] >= 0; ++k)
          found.push_back({distances[k], rows[k]});
      }
      // Distances that 32 bits do not tell apart are compared as they were in each share.
      const auto exact = [&](const Found& one) {
        return squared_distance(queries + i * dim, images + one.row * dim, dim);
      };
      std::sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
        if (a.distance != b.distance) return a.distance < b.distance;
        if (a.row == b.row) return false;
        const double of_a = exact(a);
        const double of_b = exact(b);
        return of_a < of_b || (of_a == of_b && a.row < b.row);
      });
      for (std::int64_t k = 0; k < result.count; ++k) {
        const auto& one = found.at(static_cast<std::size_t>(k));
        result.rows[static_cast<std::size_t>(i * result.count + k)] = one.row;
        result.distances[static_cast<std::size_t>(i * result.count + k)] = one.distance;
      }
    }
  });
  return result;
}

}  // namespace kindred
