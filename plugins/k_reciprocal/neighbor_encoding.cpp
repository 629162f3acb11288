#include "neighbor_encoding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kindred/core/parallel.h"

namespace kindred::k_reciprocal {
namespace {

using Entry = SparseRows::Entry;

class Neighbors {
 public:
  explicit Neighbors(const NearestRows& nearest) : nearest_(nearest) {}

  [[nodiscard]] std::span<const std::int32_t> first(std::int64_t row, std::int64_t count) const {
    return nearest_.of(row).first(static_cast<std::size_t>(std::min(count, nearest_.count)));
  }
  /// In ascending order.
  void reciprocal(std::int64_t row, std::int64_t k, std::vector<std::int32_t>& out) const {
    out.clear();
    for (const auto other : first(row, k + 1)) {
      const auto back = first(other, k + 1);
      if (std::find(back.begin(), back.end(), static_cast<std::int32_t>(row)) != back.end())
        out.push_back(other);
    }
    std::sort(out.begin(), out.end());
  }

 private:
  const NearestRows& nearest_;
};

std::size_t common(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::size_t count = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i == *j) {
      ++count;
      ++i;
      ++j;
    } else if (*i < *j) {
      ++i;
    } else {
      ++j;
    }
  }
  return count;
}

/// R*(row) in ascending order.
std::vector<std::int32_t> expanded(const Neighbors& neighbors, std::int64_t row, std::int64_t k1) {
  const auto half = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(k1) / 2));
  std::vector<std::int32_t> own;
  neighbors.reciprocal(row, k1, own);
  auto all = own;
  std::vector<std::int32_t> others;
  for (const auto candidate : own) {
    neighbors.reciprocal(candidate, half, others);
    if (3 * common(others, own) > 2 * others.size()) all.insert(all.end(), others.begin(), others.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// The distance of two rows, from the list of the nearest where it is there.
class Distances {
 public:
  Distances(const torch::Tensor& rows, const NearestRows& nearest)
      : data_(rows.data_ptr<float>()), dim_(rows.size(1)), nearest_(nearest) {}

  [[nodiscard]] double operator()(std::int64_t row, std::int32_t other) const {
    const auto known = nearest_.of(row);
    const auto at = std::find(known.begin(), known.end(), other);
    if (at != known.end()) return nearest_.distances_of(row)[static_cast<std::size_t>(at - known.begin())];
    return squared_distance(data_ + row * dim_, data_ + other * dim_, dim_);
  }

 private:
  const float* data_;
  std::int64_t dim_;
  const NearestRows& nearest_;
};

SparseRows weights_of_neighbors(const torch::Tensor& rows, const NearestRows& nearest, std::int64_t k1) {
  const Neighbors neighbors(nearest);
  const Distances distances(rows, nearest);
  std::vector<std::vector<Entry>> result(static_cast<std::size_t>(rows.size(0)));
  parallel_ranges(rows.size(0), [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      const auto columns = expanded(neighbors, i, k1);
      const double farthest = nearest.farthest[static_cast<std::size_t>(i)];
      std::vector<double> weights;
      double sum = 0;
      for (const auto j : columns) {
        // All rows equal: every distance is 0.
        const double relative = farthest > 0 ? distances(i, j) / farthest : 0;
        weights.push_back(std::exp(-relative));
        sum += weights.back();
      }
      auto& row = result[static_cast<std::size_t>(i)];
      row.reserve(columns.size());
      for (std::size_t k = 0; k < columns.size(); ++k) {
        row.push_back({columns[k], static_cast<float>(weights[k] / sum)});
      }
    }
  });
  return SparseRows(std::move(result));
}

/// Each row becomes the mean of those of its first k2.
SparseRows mean_of_nearest(const SparseRows& weights, const NearestRows& nearest, std::int64_t k2) {
  const Neighbors neighbors(nearest);
  std::vector<std::vector<Entry>> result(static_cast<std::size_t>(weights.size()));
  parallel_ranges(weights.size(), [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::pair<std::int32_t, double>> terms;
    for (auto i = begin; i < end; ++i) {
      const auto first = neighbors.first(i, k2);
      terms.clear();
      for (const auto j : first) {
        for (const auto& entry : weights.row(j)) terms.emplace_back(entry.column, entry.value);
      }
      // Stable, so that sums are added up in the order of the neighbors.
      std::stable_sort(terms.begin(), terms.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      auto& row = result[static_cast<std::size_t>(i)];
      for (std::size_t k = 0; k < terms.size();) {
        double sum = 0;
        const auto column = terms[k].first;
        for (; k < terms.size() && terms[k].first == column; ++k) sum += terms[k].second;
        row.push_back({column, static_cast<float>(sum / static_cast<double>(first.size()))});
      }
      row.shrink_to_fit();
    }
  });
  return SparseRows(std::move(result));
}

}  // namespace

SparseRows::SparseRows(std::vector<std::vector<Entry>> rows) {
  offsets_.reserve(rows.size() + 1);
  std::size_t total = 0;
  for (const auto& row : rows) offsets_.push_back(total += row.size());
  entries_.reserve(total);
  for (auto& row : rows) {
    entries_.insert(entries_.end(), row.begin(), row.end());
    std::vector<Entry>().swap(row);
  }
}

SparseRows SparseRows::transposed(std::int64_t first, std::int64_t columns) const {
  SparseRows result;
  result.offsets_.assign(static_cast<std::size_t>(columns) + 1, 0);
  for (auto i = first; i < size(); ++i) {
    for (const auto& entry : row(i)) ++result.offsets_[static_cast<std::size_t>(entry.column) + 1];
  }
  for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c)
    result.offsets_[c + 1] += result.offsets_[c];
  result.entries_.resize(result.offsets_.back());
  auto next = result.offsets_;
  for (auto i = first; i < size(); ++i) {
    for (const auto& entry : row(i)) {
      result.entries_[next[static_cast<std::size_t>(entry.column)]++] = {static_cast<std::int32_t>(i - first),
                                                                         entry.value};
    }
  }
  return result;
}

SparseRows encode_neighbors(const torch::Tensor& rows, const NearestRows& nearest, std::int64_t k1,
                            std::int64_t k2) {
  auto weights = weights_of_neighbors(rows, nearest, k1);
  return k2 > 1 ? mean_of_nearest(weights, nearest, k2) : weights;
}

}  // namespace kindred::k_reciprocal
