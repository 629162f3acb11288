#include "average_linkage.h"

#include <ATen/Context.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "kindred/core/parallel.h"

namespace kindred::agglomerative_search {
namespace {

constexpr std::int64_t product_elements = std::int64_t{16} << 20;  // 64 MB

/// The same for both orders, as the nearest of two clusters must be each other's.
double dot(const float* a, const float* b, std::int64_t dim) {
  double sum = 0;
  for (std::int64_t i = 0; i < dim; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

struct Neighbor {
  double distance;
  std::size_t cluster;  ///< its place among those that are left
};

struct Cluster {
  std::int64_t lowest_row;
  double size;
  std::optional<Neighbor> nearest;  ///< none: not within the cut
  bool searched = false;            ///< `nearest` is known
};

class Linkage {
 public:
  Linkage(const torch::Tensor& rows, const LinkageOptions& options)
      : options_(options),
        sums_(rows.clone()),
        dim_(rows.size(1)),
        joined_to_(static_cast<std::size_t>(rows.size(0))) {
    for (std::int64_t row = 0; row < rows.size(0); ++row) {
      joined_to_[static_cast<std::size_t>(row)] = row;
      clusters_.push_back({row, 1, std::nullopt});
    }
    // Of a sum of D products of 32-bit floats in any order (Higham, Accuracy and Stability of Numerical
    // Algorithms, section 3.1), divided by the sizes, and twice that for what is rounded besides. By
    // Cauchy-Schwarz the products of two clusters' means sum up to 1 at most.
    error_ = static_cast<double>(dim_ + 8) * 0x1p-23;
  }

  std::vector<std::int64_t> run() {
    const auto total = static_cast<std::int64_t>(joined_to_.size());
    while (!clusters_.empty()) {
      if (options_.progress) options_.progress(total - static_cast<std::int64_t>(clusters_.size()), total);
      search();
      join_nearest();
    }
    if (options_.progress) options_.progress(total, total);
    auto lowest = joined_to_;
    for (std::size_t row = 0; row < lowest.size(); ++row) {
      lowest[row] = lowest[static_cast<std::size_t>(joined_to_[row])];  // a lower row, or itself
    }
    return lowest;
  }

 private:
  [[nodiscard]] float* sum(std::size_t cluster) {
    return sums_.data_ptr<float>() + static_cast<std::int64_t>(cluster) * dim_;
  }

  /// Which of two pairs is joined first.
  [[nodiscard]] static bool nearer(double distance, std::size_t a, std::size_t b, double other_distance,
                                   std::size_t other_a, std::size_t other_b) {
    return std::make_tuple(distance, std::min(a, b), std::max(a, b)) <
           std::make_tuple(other_distance, std::min(other_a, other_b), std::max(other_a, other_b));
  }

  /// Finds the nearest cluster of all that do not know theirs.
  void search() {
    std::vector<std::int64_t> wanted;
    inverse_sizes_.clear();
    for (std::size_t i = 0; i < clusters_.size(); ++i) {
      if (!clusters_[i].searched) wanted.push_back(static_cast<std::int64_t>(i));
      inverse_sizes_.push_back(static_cast<float>(1 / clusters_[i].size));
    }
    if (wanted.empty()) throw std::logic_error("no two clusters are nearest to each other");
    const at::NoTF32Guard all_bits;  // the error bound is that of 32 bits
    const auto rows = torch::tensor(wanted, torch::kLong);
    const auto all = sums_.to(options_.device).t();
    const auto count = static_cast<std::int64_t>(clusters_.size());
    const auto block = std::max<std::int64_t>(1, product_elements / count);
    for (std::int64_t first = 0; first < rows.size(0); first += block) {
      const auto last = std::min(first + block, rows.size(0));
      const auto some = sums_.index_select(0, rows.slice(0, first, last)).to(options_.device);
      const auto products = torch::mm(some, all).to(torch::kCPU).contiguous();
      parallel_ranges(last - first, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
          find_nearest(static_cast<std::size_t>(wanted[static_cast<std::size_t>(first + i)]),
                       products.data_ptr<float>() + i * count);
        }
      });
    }
    // Rounding may bring a new cluster a trace nearer than its parts were, which others must hear of.
    for (const auto at : wanted) {
      const auto i = static_cast<std::size_t>(at);
      const auto& found = clusters_[i].nearest;
      if (!found) continue;
      auto& back = clusters_[found->cluster].nearest;
      if (!back ||
          nearer(found->distance, i, found->cluster, back->distance, found->cluster, back->cluster)) {
        back = Neighbor{found->distance, i};
      }
    }
  }

  /// @param products of the cluster's sum with those of all
  void find_nearest(std::size_t cluster, const float* products) {
    auto& own = clusters_[cluster];
    double limit = options_.cut + error_;
    std::vector<Neighbor> candidates;
    for (std::size_t j = 0; j < clusters_.size(); ++j) {
      const double distance = 1 - static_cast<double>(products[j] * inverse_sizes_[j]) / own.size;
      if (distance > limit || j == cluster) continue;
      candidates.push_back({distance, j});
      limit = std::min(limit, distance + 2 * error_);
    }
    own.nearest.reset();
    own.searched = true;
    for (const auto& candidate : candidates) {
      if (candidate.distance > limit) continue;
      const auto j = candidate.cluster;
      const double distance = 1 - dot(sum(cluster), sum(j), dim_) / (own.size * clusters_[j].size);
      if (distance > options_.cut) continue;
      if (!own.nearest ||
          nearer(distance, cluster, j, own.nearest->distance, cluster, own.nearest->cluster)) {
        own.nearest = Neighbor{distance, j};
      }
    }
  }

  /// Joins all pairs that are nearest to each other, and lets go of clusters that are finished.
  void join_nearest() {
    constexpr auto gone = static_cast<std::size_t>(-1);
    std::vector<bool> changed(clusters_.size(), false);
    std::vector<bool> absorbed(clusters_.size(), false);
    for (std::size_t i = 0; i < clusters_.size(); ++i) {
      const auto& nearest = clusters_[i].nearest;
      if (!nearest || nearest->cluster < i) continue;
      const auto j = nearest->cluster;
      if (!clusters_[j].nearest || clusters_[j].nearest->cluster != i) continue;
      float* into = sum(i);
      const float* from = sum(j);
      for (std::int64_t d = 0; d < dim_; ++d) into[d] += from[d];
      clusters_[i].size += clusters_[j].size;
      joined_to_[static_cast<std::size_t>(clusters_[j].lowest_row)] = clusters_[i].lowest_row;
      changed[i] = changed[j] = absorbed[j] = true;
    }

    std::vector<std::size_t> place(clusters_.size(), gone);
    std::size_t left = 0;
    for (std::size_t i = 0; i < clusters_.size(); ++i) {
      if (absorbed[i] || !clusters_[i].nearest) continue;
      clusters_[i].searched = !changed[i] && !changed[clusters_[i].nearest->cluster];
      if (left != i) std::memcpy(sum(left), sum(i), static_cast<std::size_t>(dim_) * sizeof(float));
      clusters_[left] = clusters_[i];
      place[i] = left++;
    }
    clusters_.resize(left);
    for (auto& cluster : clusters_) {
      if (cluster.searched) cluster.nearest->cluster = place[cluster.nearest->cluster];
    }
    sums_ = sums_.slice(0, 0, static_cast<std::int64_t>(left));
  }

  const LinkageOptions& options_;
  torch::Tensor sums_;             ///< [clusters, D]
  std::vector<Cluster> clusters_;  ///< those that may still be joined, ascending by their lowest row
  std::vector<float> inverse_sizes_;
  std::int64_t dim_;
  /// For each row the lowest row of the cluster that its own was joined to; the row itself when it leads one.
  std::vector<std::int64_t> joined_to_;
  double error_;  ///< of a distance that is computed in 32 bits
};

}  // namespace

std::vector<std::int64_t> average_linkage(const torch::Tensor& rows, const LinkageOptions& options) {
  return Linkage(rows, options).run();
}

}  // namespace kindred::agglomerative_search
