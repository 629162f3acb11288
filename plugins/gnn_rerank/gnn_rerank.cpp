#include "gnn_rerank.h"

#include <torch/torch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"
#include "kindred/search/row_lengths.h"
#include "neighbor_graph.h"

namespace kindred::gnn_rerank {
namespace {

using Params = GnnRerank::Params;

/// The same rows where all are of length 1 already, as the descriptors of a trained model are.
torch::Tensor unit_rows(const torch::Tensor& rows) {
  if (row_lengths(rows).sub_(1).abs_().max().item<double>() < 1e-6) return rows;
  auto result = rows.clone();
  scale_to_unit_length(result);
  return result;
}

NearestRows neighbors_of(const torch::Tensor& rows, const Params& params, RetrievalHost& host) {
  NearestOptions options;
  options.count = std::max(params.k1, params.k2);
  options.precision = params.search;
  options.device = host.device();
  options.progress = [&host](std::int64_t done, std::int64_t total) {
    host.progress("find neighbors of the graph", done, total);
  };
  return host.nearest_rows(unit_rows(rows), options);
}

void check_sizes(const Params& params, std::int64_t images, RetrievalHost& host) {
  if (params.k1 >= images) {
    throw ComponentError("post_processor/gnn_rerank",
                         "k1 = " + std::to_string(params.k1) + " must be below the number of images, " +
                             std::to_string(images) +
                             " (queries and gallery): with everyone a neighbor of everyone, all distances "
                             "would be equal; choose a much smaller k1");
  }
  warn_of_large_k("k1", params.k1, images, host);
  warn_of_large_k("k2", params.k2, images, host);
}

/// The graph ahead of its last layer, and the distances that follow.
class Propagated {
 public:
  Propagated(const NearestRows& nearest, std::int64_t queries, const Params& params)
      : queries_(queries),
        messages_(nearest, params.k2, params.alpha),
        graph_(symmetric_sum(adjacency(nearest, params.k1))) {
    // An entry is held twice while a matrix and its transpose are added.
    constexpr auto entry_bytes = static_cast<std::int64_t>(2 * sizeof(SparseMatrix::Entry));
    constexpr std::int64_t mib = std::int64_t{1} << 20;
    for (std::int64_t layer = 1; layer < params.layers; ++layer) {
      const auto too_many = [&](std::int64_t entries) {
        throw ComponentError("post_processor/gnn_rerank",
                             "memory_mib = " + std::to_string(params.memory_mib) + " is too small for the " +
                                 std::to_string(entries) + " edges of " + std::to_string(graph_.size()) +
                                 " images after layer " + std::to_string(layer) + "; allowed are " +
                                 std::to_string(entries * entry_bytes / mib + 1) +
                                 " and more; or choose a smaller k1 and k2");
      };
      auto next = propagate(graph_, messages_, params.memory_mib * mib / entry_bytes, too_many);
      graph_ = {};
      graph_ = symmetric_sum(std::move(next));
    }
    gallery_lengths_.resize(static_cast<std::size_t>(graph_.size() - queries));
    parallel_ranges(graph_.size() - queries, [&](std::int64_t first, std::int64_t last) {
      Messages::Sum sum(graph_.size());
      for (auto g = first; g < last; ++g) {
        messages_.collect(queries + g, graph_, sum);
        gallery_lengths_[static_cast<std::size_t>(g)] = sum.length();
      }
    });
  }

  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t last) const {
    const auto images = static_cast<std::int64_t>(gallery_lengths_.size());
    auto result = torch::empty({last - first, images});
    auto* out = result.data_ptr<float>();
    parallel_ranges(last - first, [&](std::int64_t begin, std::int64_t end) {
      Messages::Sum own(graph_.size());
      Messages::Sum products(graph_.size());
      for (auto i = begin; i < end; ++i) {
        messages_.collect(first + i, graph_, own);
        const double length = own.length();
        products.clear();
        for (const auto column : own.columns()) {
          products.add(graph_.rows[static_cast<std::size_t>(column)], own[column] / length);
        }
        for (std::int64_t g = 0; g < images; ++g) {
          const double product =
              messages_.gathered(queries_ + g, [&](std::int32_t sender) { return products[sender]; });
          out[i * images + g] =
              static_cast<float>(1 - product / gallery_lengths_[static_cast<std::size_t>(g)]);
        }
      }
    });
    return result;
  }

 private:
  std::int64_t queries_;
  Messages messages_;
  SparseMatrix graph_;  ///< symmetric
  std::vector<double> gallery_lengths_;
};

}  // namespace

Schema<Params> GnnRerank::schema() {
  Schema<Params> s(
      "Re-ranks the gallery by passing messages in a graph of nearest neighbors: each layer replaces the "
      "neighborhood of an image by the mean of those of its nearest images.",
      "Zhang et al., arXiv:2012.07620");
  s.add("k1", &Params::k1, "neighbors that an image has edges to, including itself; the paper: 26")
      .range(1, 1000);
  s.add("k2", &Params::k2, "neighbors that an image gets messages from, including itself; the paper: 7")
      .range(1, 1000);
  s.add("alpha", &Params::alpha, "weight of a message: the cosine to this power; the paper: 2").range(0, 100);
  s.add("layers", &Params::layers, "rounds of messages; the paper: 2").range(1, 4);
  s.add("search", &Params::search,
        "precision of the neighbor search; does not change the result, since candidates are compared in 64 "
        "bits",
        search_precision_choices());
  s.add("memory_mib", &Params::memory_mib,
        "memory for the graph, in addition to the descriptors and the neighbor search")
      .range(1, 1 << 24)
      .unit("MiB");
  return s;
}

GnnRerank::GnnRerank(const Params& params, const Context& /*context*/) : params_(params) {}

void GnnRerank::apply(Retrieval& retrieval, RetrievalHost& host) const {
  check_sizes(params_, retrieval.descriptors.size(0), host);
  const auto propagated = std::make_shared<const Propagated>(
      neighbors_of(retrieval.descriptors, params_, host), retrieval.queries, params_);
  retrieval.distances = [propagated](std::int64_t first, std::int64_t last) {
    return propagated->rows(first, last);
  };
}

}  // namespace kindred::gnn_rerank
