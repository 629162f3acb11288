#include "ranking/same_images.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace kindred::ranking {
namespace {

/// Between descriptors of one image in 16 bits, computed in 16 bits: 0.9999 and more.
constexpr double least_cosine = 0.999;

bool alike(const torch::Tensor& a, const torch::Tensor& b) {
  const double product = a.dot(b).item<double>();
  return product >= least_cosine * a.norm().item<double>() * b.norm().item<double>();
}

auto place_of(const Sample& sample) {
  return std::tuple(sample.identity, sample.camera, sample.clothes);
}

}  // namespace

SameImages same_images(const std::vector<Sample>& query, const torch::Tensor& query_rows,
                       const std::vector<Sample>& gallery, const torch::Tensor& gallery_rows) {
  if (query_rows.size(1) != gallery_rows.size(1)) return {};  // not comparable, as the search will say
  return same_images(query, query_rows, gallery, [&](std::int64_t row) { return gallery_rows[row]; });
}

SameImages same_images(const std::vector<Sample>& query, const torch::Tensor& query_rows,
                       const std::vector<Sample>& gallery,
                       const std::function<torch::Tensor(std::int64_t)>& gallery_row) {
  std::unordered_map<std::string_view, std::vector<std::int32_t>> queries;
  for (std::size_t q = 0; q < query.size(); ++q) {
    if (!query[q].path.empty()) queries[query[q].path].push_back(static_cast<std::int32_t>(q));
  }
  SameImages same;
  for (std::size_t g = 0; g < gallery.size(); ++g) {
    const auto found = queries.find(gallery[g].path);
    if (found == queries.end()) continue;
    for (const auto q : found->second) {
      if (!alike(query_rows[q], gallery_row(static_cast<std::int64_t>(g)))) continue;
      same.resize(query.size());
      same[static_cast<std::size_t>(q)].push_back(static_cast<std::int32_t>(g));
    }
  }
  return same;
}

SameImages merge_same_images(const SameImages& same, const std::vector<Sample>& query,
                             const std::vector<Sample>& merged) {
  if (same.empty()) return {};
  // Queries without an identity stay alone, and nobody judges them.
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, std::size_t> rows;
  for (std::size_t row = 0; row < merged.size(); ++row) {
    if (merged[row].identity >= 0) rows.emplace(place_of(merged[row]), row);
  }
  SameImages result(merged.size());
  for (std::size_t q = 0; q < query.size(); ++q) {
    const auto row = query[q].identity >= 0 ? rows.find(place_of(query[q])) : rows.end();
    if (row == rows.end()) continue;
    auto& images = result[row->second];
    images.insert(images.end(), same[q].begin(), same[q].end());
  }
  for (auto& images : result) {
    std::sort(images.begin(), images.end());
    images.erase(std::unique(images.begin(), images.end()), images.end());
  }
  return result;
}

}  // namespace kindred::ranking
