#include "agglomerative_search.h"

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

#include "average_linkage.h"
#include "kindred/core/error.h"

namespace kindred::agglomerative_search {
namespace {

using Params = AgglomerativeSearch::Params;

constexpr std::int64_t nobody = -1;

/// Which kept query each gallery image goes to, and which of them are dropped.
struct Taken {
  std::vector<std::int64_t> by;  ///< [G], places among the kept queries, or nobody
  std::vector<bool> dropped;     ///< of each kept query
};

/// Calls take(query, image, similarity) for every step of every walk, in order.
template <class Take>
void walk(const NearestRows& nearest, std::int64_t queries, double threshold, const Take& take) {
  for (std::int64_t query = 0; query < queries; ++query) {
    const auto images = nearest.of(query);
    const auto distances = nearest.distances_of(query);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const double similarity = 1 - static_cast<double>(distances[i]) / 2;  // of rows of length 1
      if (similarity <= threshold) break;
      take(query, static_cast<std::size_t>(images[i]), similarity);
    }
  }
}

Taken take_images(const NearestRows& nearest, std::int64_t queries, std::int64_t images,
                  const Params& params) {
  Taken taken{std::vector<std::int64_t>(static_cast<std::size_t>(images), nobody),
              std::vector<bool>(static_cast<std::size_t>(queries), false)};
  if (params.conflicts == AgglomerativeSearch::Conflicts::drop_later) {
    walk(nearest, queries, params.threshold,
         [&](std::int64_t query, std::size_t image, double /*similarity*/) {
           if (taken.by[image] == nobody) {
             taken.by[image] = query;
           } else {
             taken.dropped[static_cast<std::size_t>(query)] = true;
           }
         });
    return taken;
  }
  std::vector<double> best(static_cast<std::size_t>(images));
  walk(nearest, queries, params.threshold, [&](std::int64_t query, std::size_t image, double similarity) {
    if (taken.by[image] != nobody && similarity <= best[image]) return;
    taken.by[image] = query;
    best[image] = similarity;
  });
  return taken;
}

/// The first query of each cluster.
std::vector<std::int64_t> kept_queries(const torch::Tensor& query, double cut, RetrievalHost& host) {
  LinkageOptions options;
  options.cut = cut;
  options.device = host.device();
  options.progress = [&host](std::int64_t done, std::int64_t total) {
    host.progress("cluster queries", done, total);
  };
  const auto lowest = average_linkage(query, options);
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < lowest.size(); ++i) {
    if (lowest[i] == static_cast<std::int64_t>(i)) kept.push_back(lowest[i]);
  }
  return kept;
}

}  // namespace

Schema<Params> AgglomerativeSearch::schema() {
  Schema<Params> s(
      "Clusters the queries, keeps one query per cluster, and adds the gallery images that are very similar "
      "to it: labels few images, but most of them correctly.",
      "the competition system for NAIC 2019; average linkage: Sokal and Michener 1958");
  s.add("cut", &Params::cut,
        "largest mean cosine distance at which queries are merged into a cluster; rounding puts equal ones "
        "up to 1e-7 apart")
      .range(0, 2);
  s.add("top", &Params::top, "nearest gallery images that a query considers").range(1, 100000);
  s.add("threshold", &Params::threshold,
        "a query takes the gallery images whose cosine similarity is above this")
      .range(-1, 1);
  s.add("conflicts", &Params::conflicts,
        "what happens to an image that several queries take: 'drop_later' keeps only the first of these "
        "queries, as the competition system did; 'nearest' gives the image to the most similar query",
        {{"drop_later", Conflicts::drop_later}, {"nearest", Conflicts::nearest}});
  s.add("min_images", &Params::min_images, "smallest identity that is kept, including the query")
      .range(1, 100000)
      .unit("images");
  s.add("search", &Params::search,
        "precision of the neighbor search; does not change the result, since candidates are compared in 64 "
        "bits; 'auto': the fastest on this machine",
        search_precision_choices());
  return s;
}

AgglomerativeSearch::AgglomerativeSearch(const Params& params, const Context& /*context*/)
    : params_(params) {}

PseudoLabels AgglomerativeSearch::label(const Retrieval& images, RetrievalHost& host) const {
  const auto queries = images.queries;
  const auto gallery = images.descriptors.size(0) - queries;
  if (gallery > 0 && params_.min_images > gallery + 1) {
    throw ComponentError("labeler/agglomerative_search",
                         "min_images = " + std::to_string(params_.min_images) + " is more than a query and " +
                             std::to_string(gallery) +
                             " gallery images, so no identity could be kept; choose a smaller one");
  }
  if (queries == 0) {
    host.warn(
        "identities begin with queries, and there are none, so no image gets "
        "one; choose a labeler that takes all images alike, or extract features of a data set with queries");
  }
  std::vector<std::int64_t> kept;
  if (queries > 0) kept = kept_queries(images.query(), params_.cut, host);
  const auto kept_count = static_cast<std::int64_t>(kept.size());

  NearestRows nearest;
  if (kept_count > 0 && gallery > 0) {
    NearestOptions options;
    options.count = params_.top;
    options.precision = params_.search;
    options.device = host.device();
    options.progress = [&host](std::int64_t done, std::int64_t total) {
      host.progress("find best gallery images", done, total);
    };
    nearest = host.nearest_rows(images.query().index_select(0, torch::tensor(kept, torch::kLong)),
                                images.gallery(), options);
  }
  const auto taken = take_images(nearest, kept_count, gallery, params_);

  std::vector<std::int64_t> sizes(kept.size(), 1);
  for (const auto by : taken.by) {
    if (by != nobody) ++sizes[static_cast<std::size_t>(by)];
  }
  std::vector<std::int64_t> identity(kept.size(), unlabeled_identity);
  std::int64_t identities = 0;
  PseudoLabels labels;
  labels.identities.assign(static_cast<std::size_t>(images.descriptors.size(0)), unlabeled_identity);
  std::int64_t dropped = 0;
  std::int64_t dropped_images = 0;
  std::int64_t small = 0;
  for (std::size_t k = 0; k < kept.size(); ++k) {
    if (taken.dropped[k]) {
      ++dropped;
      dropped_images += sizes[k] - 1;
    } else if (sizes[k] < params_.min_images) {
      small += sizes[k];
    } else {
      identity[k] = identities++;
      labels.identities[static_cast<std::size_t>(kept[k])] = identity[k];
    }
  }
  std::int64_t untaken = 0;
  for (std::size_t image = 0; image < taken.by.size(); ++image) {
    if (taken.by[image] == nobody) {
      ++untaken;
    } else {
      labels.identities[static_cast<std::size_t>(queries) + image] =
          identity[static_cast<std::size_t>(taken.by[image])];
    }
  }

  const auto left_out = [&](std::string reason, std::int64_t count) {
    if (count > 0) labels.left_out.push_back({std::move(reason), count});
  };
  left_out("queries in a cluster with an earlier query", queries - kept_count);
  left_out("queries dropped because an earlier query had taken one of their images", dropped);
  left_out("gallery images that a dropped query had taken first", dropped_images);
  left_out("in identities of fewer than " + std::to_string(params_.min_images) + " images", small);
  left_out("gallery images that no query takes: below the threshold, or not among the nearest", untaken);
  return labels;
}

}  // namespace kindred::agglomerative_search
