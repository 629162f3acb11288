// What a search compares: descriptors, or distances computed from them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "kindred/core/export.h"
#include "kindred/search/nearest_rows.h"

namespace kindred {

/// Distances of queries to the gallery, in blocks of queries: rows [first, last) as [last - first, G], 32-bit
/// finite floats on the CPU. Smaller is nearer; the scale is not specified. Called by one thread at a time.
using DistanceBlock = std::function<torch::Tensor(std::int64_t first, std::int64_t last)>;

/// Queries and gallery of one search.
struct Retrieval {
  torch::Tensor
      descriptors;  ///< [Q + G, D], 32-bit floats on the CPU, contiguous: the queries, then the gallery
  std::int64_t queries = 0;  ///< Q
  /// Set by a post-processor that computes its own distances; if empty, the cosine distance of the
  /// descriptors is used.
  DistanceBlock distances;

  [[nodiscard]] torch::Tensor query() const { return descriptors.slice(0, 0, queries); }
  [[nodiscard]] torch::Tensor gallery() const { return descriptors.slice(0, queries); }
};

/// What a post-processor can request from its environment.
class KINDRED_API RetrievalHost {
 public:
  virtual ~RetrievalHost();

  /// The device for large matrix products.
  [[nodiscard]] virtual torch::Device device() const = 0;
  /// Reports the progress of a long step.
  virtual void progress(const std::string& step, std::int64_t done, std::int64_t total) = 0;
  /// Tells the user of a parameter that hardly suits the images, such as more neighbors than there are. One
  /// that cannot work at all is a ComponentError instead.
  /// @param text what is wrong and what to do; the component is named before it. Does nothing by default.
  virtual void warn(const std::string& text);
  /// The descriptors of another model for the same images, from FOLDER/query.npy and gallery.npy, matched by
  /// the names in their CSV files and in the order of this search, [Q + G, D']. Where several images make one
  /// query (evaluate.multi_query), theirs are merged in the same way. Throws DataError naming the first image
  /// that is missing.
  [[nodiscard]] virtual torch::Tensor descriptors_of(const std::filesystem::path& folder) = 0;
  /// Distances on disk, a .npy file [Q, G] whose rows and columns are the images of this search, in the same
  /// order (`kindred match --distances` writes one). Throws DataError if the shape differs, and where queries
  /// are merged: their distances cannot be.
  [[nodiscard]] virtual DistanceBlock distances_of(const std::filesystem::path& file) = 0;

  /// kindred::nearest_rows(), with the same result, for rows that are the same in all processes that search
  /// together: each compares a share of the pairs. To be called within PostProcessor::apply() and
  /// Labeler::label(), by a component that calls it as often and in the same order in each process, as one
  /// does whose result depends on nothing but what it is given; never by the distances that it leaves.
  [[nodiscard]] virtual NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options);
  [[nodiscard]] virtual NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                                 const NearestOptions& options);
};

/// Warns of a number of neighbors of more than half of the images: those of different people then share most.
/// @param name of the parameter: "k1"
/// @param images of queries and gallery
KINDRED_API void warn_of_large_k(const std::string& name, std::int64_t k, std::int64_t images,
                                 RetrievalHost& host);

}  // namespace kindred
