#include "k_reciprocal.h"

#include <ATen/Context.h>
#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kindred/core/parallel.h"
#include "kindred/search/row_lengths.h"
#include "neighbor_encoding.h"
#include "neighbor_search.h"

namespace kindred::k_reciprocal {
namespace {

/// [N], |x|^2
torch::Tensor squares(const torch::Tensor& rows) {
  return row_lengths(rows).square_().to(torch::kFloat);
}

/// Queries and gallery encoded together, and the distances that follow.
class Encoded {
 public:
  /// @param host nullptr: as in NeighborSearch
  Encoded(torch::Tensor rows, std::int64_t queries, const KReciprocal::Params& params, torch::Device device,
          RetrievalHost* host)
      : queries_(queries), images_(rows.size(0) - queries), lambda_(params.lambda), device_(device) {
    auto search = search_of(params, device, host, "post_processor/k_reciprocal");
    search.products_of = lambda_ == 0 ? 0 : queries;
    search.remedy = params.mode == KReciprocal::Mode::exact
                        ? "; or set mode = \"chunked\""
                        : "; or choose smaller chunk_queries and chunk_nearest";
    auto nearest = find_neighbors(rows, search);
    vectors_ = encode_neighbors(rows, nearest, params.k1, params.k2);
    columns_ = vectors_.transposed(queries, rows.size(0));
    farthest_.assign(nearest.farthest.begin(), nearest.farthest.begin() + queries);
    if (lambda_ == 0) return;
    squares_ = squares(rows);
    products_ = std::move(nearest.products);
    if (products_.defined()) return;
    query_ = rows.slice(0, 0, queries);
    gallery_ = rows.slice(0, queries).to(device);
  }

  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t last) const {
    auto result = torch::empty({last - first, images_});
    const auto products = products_of(first, last);
    const auto* from = lambda_ == 0 ? nullptr : products.data_ptr<float>();
    auto* to = result.data_ptr<float>();
    parallel_ranges(last - first, [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> shared(static_cast<std::size_t>(images_));
      for (auto i = begin; i < end; ++i) {
        share(first + i, shared);
        if (lambda_ == 0) {
          jaccard_distances(shared, to + i * images_);
        } else {
          final_distances(first + i, from + i * images_, shared, to + i * images_);
        }
      }
    });
    return result;
  }

 private:
  /// [last - first, G], inner products of queries with the gallery; undefined where lambda asks for none.
  [[nodiscard]] torch::Tensor products_of(std::int64_t first, std::int64_t last) const {
    if (products_.defined()) return products_.slice(0, first, last);
    if (lambda_ == 0) return {};
    const at::NoTF32Guard all_bits;
    return torch::mm(query_.slice(0, first, last).to(device_), gallery_.t()).to(torch::kCPU).contiguous();
  }

  /// s of a query with each image of the gallery.
  void share(std::int64_t query, std::vector<double>& shared) const {
    std::fill(shared.begin(), shared.end(), 0.0);
    for (const auto& mine : vectors_.row(query)) {
      for (const auto& other : columns_.row(mine.column)) {
        shared[static_cast<std::size_t>(other.column)] += std::min(mine.value, other.value);
      }
    }
  }

  static void jaccard_distances(const std::vector<double>& shared, float* distances) {
    for (std::size_t g = 0; g < shared.size(); ++g) {
      distances[g] = static_cast<float>(1 - shared[g] / (2 - shared[g]));
    }
  }

  void final_distances(std::int64_t query, const float* products, const std::vector<double>& shared,
                       float* distances) const {
    const auto* squares = squares_.data_ptr<float>();
    const float own_square = squares[query];
    const float* other_squares = squares + queries_;
    const double farthest = farthest_[static_cast<std::size_t>(query)];
    const double scale = farthest > 0 ? lambda_ / farthest : 0;
    for (std::size_t g = 0; g < shared.size(); ++g) {
      const double jaccard = 1 - shared[g] / (2 - shared[g]);
      const float squared = std::max(own_square - 2 * products[g] + other_squares[g], 0.0F);
      distances[g] = static_cast<float>((1 - lambda_) * jaccard + scale * squared);
    }
  }

  std::int64_t queries_;
  std::int64_t images_;
  double lambda_;
  torch::Device device_;
  SparseRows vectors_;
  SparseRows columns_;  ///< V of the gallery, by column
  std::vector<float> farthest_;
  torch::Tensor squares_;   ///< [Q + G]
  torch::Tensor products_;  ///< [Q, G], where memory sufficed
  torch::Tensor query_;     ///< the rows, where it did not
  torch::Tensor gallery_;
};

/// The squared distances of rows of `query` to all of `gallery`, [n, G].
torch::Tensor squared_distances(const torch::Tensor& query, const torch::Tensor& gallery,
                                const torch::Tensor& query_squares, const torch::Tensor& gallery_squares,
                                torch::Device device) {
  const at::NoTF32Guard all_bits;
  auto result = torch::mm(query.to(device), gallery.t()).to(torch::kCPU);
  return result.mul_(-2).add_(query_squares.unsqueeze(1)).add_(gallery_squares).clamp_min_(0).contiguous();
}

/// The distances of some queries, each chunk encoded with the gallery images that are near any of its
/// queries. The others follow behind those, by their distance: 1 + d(q, g).
class Chunked {
 public:
  Chunked(const Retrieval& retrieval, const KReciprocal::Params& params, RetrievalHost& host)
      : query_(retrieval.query()),
        gallery_(retrieval.gallery()),
        params_(params),
        device_(host.device()),
        query_squares_(squares(query_)),
        gallery_squares_(squares(gallery_)) {
    NearestOptions options;
    options.count = params.chunk_nearest;
    options.precision = params.search;
    options.device = device_;
    options.progress = [&host](std::int64_t done, std::int64_t total) {
      host.progress("find nearest images", done, total);
    };
    nearest_ = host.nearest_rows(query_, gallery_, options);
    on_device_ = gallery_.to(device_);
  }

  /// Chunks begin at multiples of chunk_queries, whatever rows are asked for.
  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t last) {
    auto result = torch::empty({last - first, gallery_.size(0)});
    for (auto at = first; at < last;) {
      const auto chunk = at / params_.chunk_queries;
      load(chunk);
      const auto begin = chunk * params_.chunk_queries;
      const auto end = std::min(last, begin + chunk_->second.queries);
      result.slice(0, at - first, end - first).copy_(chunk_rows(at, end, begin));
      at = end;
    }
    return result;
  }

 private:
  struct Chunk {
    std::int64_t queries;
    torch::Tensor images;  ///< [n] of the gallery, ascending
    std::unique_ptr<Encoded> encoded;
  };

  void load(std::int64_t number) {
    if (chunk_ && chunk_->first == number) return;
    const auto first = number * params_.chunk_queries;
    const auto last = std::min(first + params_.chunk_queries, query_.size(0));
    std::vector<std::int64_t> images;
    for (auto q = first; q < last; ++q) {
      const auto of = nearest_.of(q);
      images.insert(images.end(), of.begin(), of.end());
    }
    std::sort(images.begin(), images.end());
    images.erase(std::unique(images.begin(), images.end()), images.end());
    Chunk chunk{last - first, torch::tensor(images, torch::kLong), nullptr};
    chunk_.reset();
    chunk.encoded = std::make_unique<Encoded>(
        torch::cat({query_.slice(0, first, last), gallery_.index_select(0, chunk.images)}), last - first,
        params_, device_, nullptr);
    chunk_.emplace(number, std::move(chunk));
  }

  [[nodiscard]] torch::Tensor chunk_rows(std::int64_t first, std::int64_t last, std::int64_t begin) const {
    auto all = squared_distances(query_.slice(0, first, last), on_device_,
                                 query_squares_.slice(0, first, last), gallery_squares_, device_);
    const auto farthest = std::get<0>(all.max(1, true)).clamp_min(std::numeric_limits<float>::min());
    all.div_(farthest).add_(1);
    all.index_copy_(1, chunk_->second.images, chunk_->second.encoded->rows(first - begin, last - begin));
    return all;
  }

  torch::Tensor query_;
  torch::Tensor gallery_;
  KReciprocal::Params params_;
  torch::Device device_;
  torch::Tensor query_squares_;
  torch::Tensor gallery_squares_;
  NearestRows nearest_;
  torch::Tensor on_device_;
  std::optional<std::pair<std::int64_t, Chunk>> chunk_;
};

}  // namespace

Schema<KReciprocal::Params> KReciprocal::schema() {
  Schema<Params> s(
      "Re-ranks the gallery by how many k-reciprocal neighbors a query and an image share; exact, without a "
      "matrix of all distances.",
      "Zhong et al., CVPR 2017");
  add_encoding_parameters(s, "; the paper: 20", "; the paper: 6");
  s.add("lambda", &Params::lambda,
        "share of the original distance in the result; the rest is the Jaccard distance; the paper: 0.3")
      .range(0, 1)
      .idle_at(1);
  s.add("mode", &Params::mode,
        "'exact': all images at once; 'chunked': some queries at a time with the images near them, as the "
        "competition system did to save memory",
        {{"exact", Mode::exact}, {"chunked", Mode::chunked}});
  s.add("chunk_queries", &Params::chunk_queries, "queries per chunk with mode = 'chunked'").range(1, 1000000);
  s.add("chunk_nearest", &Params::chunk_nearest, "nearest gallery images of each query with mode = 'chunked'")
      .range(1, 100000);
  add_search_parameters(s, "; with 4 bytes for each pair of query and image, no product is computed twice");
  return s;
}

KReciprocal::KReciprocal(const Params& params, const Context& /*context*/) : params_(params) {}

void KReciprocal::apply(Retrieval& retrieval, RetrievalHost& host) const {
  warn_of_sizes(params_, retrieval.descriptors.size(0), host);
  if (params_.mode == Mode::chunked) {
    const auto chunked = std::make_shared<Chunked>(retrieval, params_, host);
    retrieval.distances = [chunked](std::int64_t first, std::int64_t last) {
      return chunked->rows(first, last);
    };
    return;
  }
  const auto encoded = std::make_shared<const Encoded>(retrieval.descriptors, retrieval.queries, params_,
                                                       host.device(), &host);
  retrieval.distances = [encoded](std::int64_t first, std::int64_t last) {
    return encoded->rows(first, last);
  };
}

}  // namespace kindred::k_reciprocal
