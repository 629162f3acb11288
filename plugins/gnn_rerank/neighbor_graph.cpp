#include "neighbor_graph.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "kindred/core/parallel.h"

namespace kindred::gnn_rerank {
namespace {

using Entry = SparseMatrix::Entry;

SparseMatrix transposed(const SparseMatrix& matrix) {
  std::vector<std::size_t> counts(matrix.rows.size());
  for (const auto& row : matrix.rows) {
    for (const auto& entry : row) ++counts[static_cast<std::size_t>(entry.column)];
  }
  SparseMatrix result;
  result.rows.resize(matrix.rows.size());
  for (std::size_t i = 0; i < counts.size(); ++i) result.rows[i].reserve(counts[i]);
  for (std::size_t i = 0; i < matrix.rows.size(); ++i) {
    for (const auto& entry : matrix.rows[i]) {
      result.rows[static_cast<std::size_t>(entry.column)].push_back(
          {static_cast<std::int32_t>(i), entry.value});
    }
  }
  return result;
}

std::vector<Entry> sum_of(const std::vector<Entry>& a, const std::vector<Entry>& b) {
  std::vector<Entry> sum;
  sum.reserve(a.size() + b.size());
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() && j != b.end()) {
    if (i->column == j->column) {
      sum.push_back({i->column, i->value + j->value});
      ++i;
      ++j;
    } else {
      sum.push_back(i->column < j->column ? *i++ : *j++);
    }
  }
  sum.insert(sum.end(), i, a.end());
  sum.insert(sum.end(), j, b.end());
  sum.shrink_to_fit();
  return sum;
}

}  // namespace

SparseMatrix symmetric_sum(SparseMatrix&& matrix) {
  auto columns = transposed(matrix);
  parallel_ranges(matrix.size(), [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      matrix.rows[i] = sum_of(matrix.rows[i], columns.rows[i]);
      std::vector<Entry>().swap(columns.rows[i]);
    }
  });
  return std::move(matrix);
}

SparseMatrix adjacency(const NearestRows& nearest, std::int64_t k1) {
  SparseMatrix result;
  result.rows.resize(nearest.rows.size() / static_cast<std::size_t>(nearest.count));
  for (std::int64_t i = 0; i < result.size(); ++i) {
    auto& row = result.rows[static_cast<std::size_t>(i)];
    const auto neighbors = nearest.of(i).first(static_cast<std::size_t>(std::min(k1, nearest.count)));
    row.reserve(neighbors.size());
    for (const auto j : neighbors) row.push_back({j, 1.0F});
    std::sort(row.begin(), row.end(), [](const Entry& a, const Entry& b) { return a.column < b.column; });
  }
  return result;
}

Messages::Messages(const NearestRows& nearest, std::int64_t k2, double alpha)
    : count_(std::min(k2, nearest.count)) {
  const auto size = static_cast<std::int64_t>(nearest.rows.size()) / nearest.count;
  senders_.reserve(static_cast<std::size_t>(size * count_));
  weights_.reserve(static_cast<std::size_t>(size * count_));
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t k = 0; k < count_; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const double cosine = std::max(1 - static_cast<double>(nearest.distances_of(i)[at]) / 2, 0.0);
      senders_.push_back(nearest.of(i)[at]);
      weights_.push_back(static_cast<float>(cosine > 0 ? std::pow(cosine, alpha) : 0));
    }
  }
}

void Messages::Sum::clear() {
  for (const auto column : columns_) values_[static_cast<std::size_t>(column)] = 0;
  columns_.clear();
}

void Messages::Sum::add(const std::vector<Entry>& row, double weight) {
  if (weight == 0) return;
  for (const auto& entry : row) {
    auto& value = values_[static_cast<std::size_t>(entry.column)];
    if (value == 0) columns_.push_back(entry.column);
    value += weight * static_cast<double>(entry.value);
  }
}

void Messages::Sum::sort_columns() {
  std::sort(columns_.begin(), columns_.end());
}

double Messages::Sum::length() const {
  double square = 0;
  for (const auto column : columns_) square += (*this)[column] * (*this)[column];
  return std::sqrt(square);
}

void Messages::collect(std::int64_t row, const SparseMatrix& matrix, Sum& out) const {
  out.clear();
  for (auto at = static_cast<std::size_t>(row * count_); at < static_cast<std::size_t>((row + 1) * count_);
       ++at) {
    out.add(matrix.rows[static_cast<std::size_t>(senders_[at])], weights_[at]);
  }
}

SparseMatrix propagate(const SparseMatrix& matrix, const Messages& messages, std::int64_t most,
                       const std::function<void(std::int64_t)>& too_many) {
  SparseMatrix result;
  result.rows.resize(matrix.rows.size());
  std::atomic<std::int64_t> entries = 0;
  parallel_ranges(matrix.size(), [&](std::int64_t first, std::int64_t last) {
    Messages::Sum sum(matrix.size());
    for (auto i = first; i < last; ++i) {
      messages.collect(i, matrix, sum);
      const auto count = static_cast<std::int64_t>(sum.columns().size());
      if ((entries += count) > most) continue;  // goes on counting
      sum.sort_columns();
      const double length = sum.length();
      auto& row = result.rows[static_cast<std::size_t>(i)];
      row.reserve(sum.columns().size());
      for (const auto column : sum.columns()) {
        const auto value = static_cast<float>(sum[column] / length);
        // Sums take 0 for a column that is not there yet.
        if (value != 0) row.push_back({column, value});
      }
    }
  });
  if (entries > most) too_many(entries);
  return result;
}

}  // namespace kindred::gnn_rerank
