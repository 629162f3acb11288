// What is compared when a gallery is searched: descriptors, or distances that something has made of them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

/// Distances of queries to the gallery, by blocks of queries: rows [first, last) as [last - first, G], 32-bit
/// floats on the CPU. Smaller is nearer; nothing else is promised of their scale. Called by one thread at a
/// time.
using DistanceBlock = std::function<torch::Tensor(std::int64_t first, std::int64_t last)>;

/// Queries and gallery of one search.
struct Retrieval {
  torch::Tensor
      descriptors;  ///< [Q + G, D], 32-bit floats on the CPU, contiguous: the queries, then the gallery
  std::int64_t queries = 0;  ///< Q
  /// Set by a post-processor that makes distances of its own; else the cosine distance of the descriptors is
  /// meant.
  DistanceBlock distances;

  [[nodiscard]] torch::Tensor query() const { return descriptors.slice(0, 0, queries); }
  [[nodiscard]] torch::Tensor gallery() const { return descriptors.slice(0, queries); }
};

/// What a post-processor may ask of its surroundings.
class KINDRED_API RetrievalHost {
 public:
  virtual ~RetrievalHost();

  /// Where large products are computed.
  [[nodiscard]] virtual torch::Device device() const = 0;
  /// Tells how far a long step has come.
  virtual void progress(const std::string& step, std::int64_t done, std::int64_t total) = 0;
  /// The descriptors that another model gave the same images: those of FOLDER/query.npy and gallery.npy whose
  /// CSV files name the images of this search, in this search's order [Q + G, D']. Throws DataError naming
  /// the first image that is not there.
  [[nodiscard]] virtual torch::Tensor descriptors_of(const std::filesystem::path& folder) = 0;
  /// Distances on disk, a .npy file [Q, G] whose rows and columns are the images of this search, in its order
  /// (`kindred match --distances` writes one). Throws DataError when the shape is another.
  [[nodiscard]] virtual DistanceBlock distances_of(const std::filesystem::path& file) = 0;
};

}  // namespace kindred
