#include "expansion.h"

#include <cmath>
#include <string>
#include <vector>

#include "kindred/core/parallel.h"

namespace kindred::query_expansion {

void add_expansion_parameters(Schema<ExpansionParams>& s) {
  s.add("k", &ExpansionParams::k, "nearest gallery images to average with; all if the gallery has fewer")
      .range(1, 1000);
  s.add("alpha", &ExpansionParams::alpha,
        "weight of an image: its cosine to this power, with 0 the same for all; images whose cosine is not "
        "above 0 are left out, whatever the power")
      .range(0, 100);
  s.add("search", &ExpansionParams::search, "precision of the neighbor search; does not change the result",
        search_precision_choices());
}

void warn_of_k(std::int64_t k, std::int64_t others, RetrievalHost& host) {
  if (2 * k <= others) return;
  host.warn("k = " + std::to_string(k) + " averages with more than half of " + std::to_string(others) +
            " gallery images, also those of other people; choose a smaller k");
}

void expand(const torch::Tensor& rows, const torch::Tensor& gallery, const NearestRows& nearest,
            const ExpansionParams& params, bool among_themselves, const torch::Tensor& out) {
  const auto dim = rows.size(1);
  const auto* from = rows.data_ptr<float>();
  const auto* images = gallery.data_ptr<float>();
  auto* to = out.data_ptr<float>();
  parallel_ranges(rows.size(0), [&](std::int64_t first, std::int64_t last) {
    std::vector<double> sum(static_cast<std::size_t>(dim));
    for (auto i = first; i < last; ++i) {
      sum.assign(from + i * dim, from + (i + 1) * dim);
      const auto neighbors = nearest.of(i);
      const auto distances = nearest.distances_of(i);
      std::int64_t added = 0;
      for (std::size_t n = 0; n < neighbors.size() && added < params.k; ++n) {
        if (among_themselves && neighbors[n] == i) continue;
        ++added;
        const double cosine = 1 - static_cast<double>(distances[n]) / 2;
        if (cosine <= 0) continue;
        const double weight = std::pow(cosine, params.alpha);
        const auto* image = images + neighbors[n] * dim;
        for (std::int64_t d = 0; d < dim; ++d) sum[static_cast<std::size_t>(d)] += weight * image[d];
      }
      double square = 0;
      for (const double value : sum) square += value * value;
      const double length = std::sqrt(square);
      for (std::int64_t d = 0; d < dim; ++d) {
        to[i * dim + d] = static_cast<float>(sum[static_cast<std::size_t>(d)] / length);
      }
    }
  });
}

}  // namespace kindred::query_expansion
