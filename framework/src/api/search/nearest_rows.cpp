#include "kindred/search/nearest_rows.h"

#include "kindred/core/kernel.h"
#include "nearest_search.h"

namespace kindred {

// The declaration in the header would keep it from being compiled for several processors.
namespace distances {

KINDRED_FOR_EACH_PROCESSOR
double squared(const float* a, const float* b, std::int64_t dim) {
  constexpr std::int64_t lanes = 32;
  double sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= dim; i += lanes) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const double difference = static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]);
      sums[lane] += difference * difference;
    }
  }
  double sum = 0;
  for (; i < dim; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  for (const double lane : sums) sum += lane;
  return sum;
}

}  // namespace distances

double squared_distance(const float* a, const float* b, std::int64_t dim) {
  return distances::squared(a, b, dim);
}

std::vector<std::pair<std::string, SearchPrecision>> search_precision_choices() {
  return {{"auto", SearchPrecision::automatic},
          {"float32", SearchPrecision::float32},
          {"bfloat16", SearchPrecision::bfloat16}};
}

NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options) {
  return search_nearest_rows(rows, nullptr, options, {});
}

NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                         const NearestOptions& options) {
  return search_nearest_rows(query, &gallery, options, {});
}

}  // namespace kindred
