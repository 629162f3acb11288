#include "dbscan_jaccard.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"
#include "neighbor_encoding.h"
#include "neighbor_search.h"

namespace kindred::k_reciprocal {
namespace {

using Rows = std::vector<std::int32_t>;

constexpr std::int64_t block_rows = 4096;

/// Which rows are within eps of a row. Each thread has its own.
class WithinEps {
 public:
  WithinEps(const SparseRows& vectors, const SparseRows& columns, double eps)
      : vectors_(vectors), columns_(columns), eps_(eps), shared_(static_cast<std::size_t>(vectors.size())) {}

  /// All but the row itself, in no fixed order; valid until the next call.
  [[nodiscard]] const Rows& of(std::int64_t row) {
    touched_.clear();
    for (const auto& mine : vectors_.row(row)) {
      for (const auto& other : columns_.row(mine.column)) {
        auto& shared = shared_[static_cast<std::size_t>(other.column)];
        if (shared == 0) touched_.push_back(other.column);
        shared += std::min(mine.value, other.value);  // above 0: an entry of V is a mean of exp(-d)
      }
    }
    found_.clear();
    for (const auto other : touched_) {
      const double shared = std::exchange(shared_[static_cast<std::size_t>(other)], 0.0);
      if (other != row && 1 - shared / (2 - shared) <= eps_) found_.push_back(other);
    }
    return found_;
  }

 private:
  const SparseRows& vectors_;
  const SparseRows& columns_;
  double eps_;
  std::vector<double> shared_;  ///< [N], zeros between calls
  Rows touched_;
  Rows found_;
};

/// Sets of rows, each known by its lowest row.
class DisjointSets {
 public:
  explicit DisjointSets(std::int64_t rows) : parent_(static_cast<std::size_t>(rows)) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }
  [[nodiscard]] std::int32_t lowest(std::int32_t row) {
    while (parent(row) != row) row = parent(row) = parent(parent(row));
    return row;
  }
  void join(std::int32_t a, std::int32_t b) {
    a = lowest(a);
    b = lowest(b);
    parent(std::max(a, b)) = std::min(a, b);
  }

 private:
  std::int32_t& parent(std::int32_t row) { return parent_[static_cast<std::size_t>(row)]; }
  std::vector<std::int32_t> parent_;
};

class Dbscan {
 public:
  Dbscan(const SparseRows& vectors, const DbscanJaccard::Params& params, RetrievalHost& host)
      : vectors_(vectors),
        columns_(vectors.transposed(0, vectors.size())),
        params_(params),
        host_(host),
        rows_(vectors.size()),
        core_(static_cast<std::size_t>(rows_)) {}

  /// For each row the first core of its cluster, or -1.
  [[nodiscard]] std::vector<std::int32_t> clusters() {
    host_.progress("cluster", 0, rows_);
    each(0, [&](std::int64_t row, const Rows& within) {
      core_[static_cast<std::size_t>(row)] =
          static_cast<std::int64_t>(within.size()) + 1 >= params_.min_samples ? 1 : 0;
    });

    DisjointSets sets(rows_);
    std::vector<Rows> cores(static_cast<std::size_t>(block_rows));  // near each row of a block
    std::vector<std::pair<std::int32_t, Rows>> borders;
    const auto collect = [&](std::int64_t row, const Rows& within) {
      auto& near = cores[static_cast<std::size_t>(row % block_rows)];
      near.clear();
      for (const auto other : within) {
        // A pair of cores is seen from both.
        if (is_core(other) && (other < row || !is_core(row))) near.push_back(other);
      }
    };
    each(rows_, collect, [&](std::int64_t row) {
      auto& near = cores[static_cast<std::size_t>(row % block_rows)];
      const auto at = static_cast<std::int32_t>(row);
      if (is_core(row)) {
        for (const auto other : near) sets.join(at, other);
      } else if (!near.empty()) {
        borders.emplace_back(at, std::move(near));
      }
    });

    std::vector<std::int32_t> result(static_cast<std::size_t>(rows_), -1);
    for (std::int32_t row = 0; row < rows_; ++row) {
      if (is_core(row)) result[static_cast<std::size_t>(row)] = sets.lowest(row);
    }
    for (const auto& [row, near] : borders) {
      std::int32_t first = sets.lowest(near.front());
      for (const auto other : near) first = std::min(first, sets.lowest(other));
      result[static_cast<std::size_t>(row)] = first;
    }
    return result;
  }

 private:
  [[nodiscard]] bool is_core(std::int64_t row) const { return core_[static_cast<std::size_t>(row)] != 0; }

  /// Calls in_parallel(row, rows within eps) for the rows of a block, by several threads, then in_order(row)
  /// for the same rows, and so on.
  template <class Parallel, class Ordered>
  void each(std::int64_t done_before, const Parallel& in_parallel, const Ordered& in_order) {
    for (std::int64_t first = 0; first < rows_; first += block_rows) {
      const auto last = std::min(first + block_rows, rows_);
      parallel_ranges(last - first, [&](std::int64_t begin, std::int64_t end) {
        WithinEps within(vectors_, columns_, params_.eps);
        for (auto row = first + begin; row < first + end; ++row) in_parallel(row, within.of(row));
      });
      for (auto row = first; row < last; ++row) in_order(row);
      host_.progress("cluster", (done_before + last) / 2, rows_);
    }
  }
  template <class Parallel>
  void each(std::int64_t done_before, const Parallel& in_parallel) {
    each(done_before, in_parallel, [](std::int64_t) {});
  }

  const SparseRows& vectors_;
  SparseRows columns_;
  const DbscanJaccard::Params& params_;
  RetrievalHost& host_;
  std::int64_t rows_;
  std::vector<char> core_;  ///< bytes, as threads write to neighboring ones
};

}  // namespace

Schema<DbscanJaccard::Params> DbscanJaccard::schema() {
  Schema<Params> s(
      "Clusters queries and gallery together with DBSCAN on the k-reciprocal Jaccard distance; exact, "
      "without a matrix of all distances.",
      "DBSCAN: Ester et al., KDD 1996; distance: Zhong et al., CVPR 2017; parameters: Ge et al., NeurIPS "
      "2020 "
      "(SpCL)");
  s.add("eps", &Params::eps,
        "largest Jaccard distance between neighbors; larger values give fewer and larger clusters")
      .range(0, 0.999);
  s.add("min_samples", &Params::min_samples,
        "neighbors, including the image itself, that make an image the core of a cluster")
      .range(1, 100000);
  add_encoding_parameters(s);
  add_search_parameters(s);
  return s;
}

DbscanJaccard::DbscanJaccard(const Params& params, const Context& /*context*/) : params_(params) {}

PseudoLabels DbscanJaccard::label(const Retrieval& images, RetrievalHost& host) const {
  const auto count = images.descriptors.size(0);
  if (params_.min_samples > count) {
    throw ComponentError("labeler/dbscan_jaccard",
                         "min_samples = " + std::to_string(params_.min_samples) + " is more than the " +
                             std::to_string(count) +
                             " images, so no image could be the core of a cluster; choose a smaller one");
  }
  warn_of_sizes(params_, count, host);
  const auto search = search_of(params_, host.device(), &host, "labeler/dbscan_jaccard");
  const auto vectors = [&] {
    const auto nearest = find_neighbors(images.descriptors, search);
    return encode_neighbors(images.descriptors, nearest, params_.k1, params_.k2);
  }();
  const auto clusters = Dbscan(vectors, params_, host).clusters();

  PseudoLabels labels;
  labels.identities.reserve(clusters.size());
  std::vector<std::int64_t> numbers(clusters.size(), unlabeled_identity);  // by the first core
  std::int64_t identities = 0;
  std::int64_t outliers = 0;
  for (const auto cluster : clusters) {
    if (cluster < 0) {
      ++outliers;
      labels.identities.push_back(unlabeled_identity);
      continue;
    }
    auto& number = numbers[static_cast<std::size_t>(cluster)];
    if (number == unlabeled_identity) number = identities++;
    labels.identities.push_back(number);
  }
  if (outliers > 0) labels.left_out.push_back({"in no cluster", outliers});
  return labels;
}

}  // namespace kindred::k_reciprocal
