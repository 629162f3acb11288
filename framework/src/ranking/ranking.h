// The nearest gallery images of each query.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/search/retrieval.h"
#include "system/ranks.h"

namespace kindred::ranking {

struct Ranking {
  /// [Q, top], 64-bit gallery rows, the most similar first; -1 where there are not so many (`excluded`)
  torch::Tensor images;
  torch::Tensor similarities;  ///< [Q, top], 32-bit cosines or 1 - distance, descending
};

/// Gallery descriptors in pieces: rows [first, last) as [last - first, D], 32-bit floats on the CPU. Called
/// by other threads, one call at a time.
using DescriptorBlock = std::function<torch::Tensor(std::int64_t first, std::int64_t last)>;

struct RankingOptions {
  std::int64_t top = 200;  ///< at least 1; a smaller gallery is ranked whole
  std::string query_name = "query";
  std::string gallery_name = "gallery";
  bool unit_gallery = false;  ///< the gallery's rows are of length 1: they are not measured
  /// Other than 0 for gallery rows that are passed over; empty: none. For rank_gallery().
  std::span<const std::uint8_t> excluded{};
  /// Called with the gallery images, or by distances with the queries, done so far.
  std::function<void(std::int64_t)> progress;
  /// The ends of parts of the gallery, such as the files that hold it, the last being its size; empty: it is
  /// one. No block is of two parts, and a rank has whole parts if there are enough of them. For
  /// rank_gallery().
  std::vector<std::int64_t> part_ends{};
  /// Each of which ranks with the same arguments, and works on some of the blocks of one process: of the
  /// gallery, which it reads no more of, or by distances of the queries. All have the result.
  const system::Ranks& ranks = system::Ranks::alone();
};

/// Ranks by cosine similarity, exactly; equal similarities keep the gallery's order. The gallery is read
/// once, in order, while what was read is worked on. Memory: the query twice, the result, and three blocks of
/// 16 MB at most, or a row where that is more. Throws DataError naming
/// the row for descriptors without a direction (similarity.h) and when the widths differ.
/// @param query [Q, D], 32-bit floats on the CPU
[[nodiscard]] Ranking rank_gallery(const torch::Tensor& query, std::int64_t gallery_size,
                                   std::int64_t gallery_dim, const DescriptorBlock& gallery,
                                   const RankingOptions& options);

/// The same for a gallery in memory, [G, D].
[[nodiscard]] Ranking rank_gallery(const torch::Tensor& query, const torch::Tensor& gallery,
                                   const RankingOptions& options);

/// The same by any distances; equal ones keep the gallery's order. Throws DataError naming query and
/// image for one that is not a number.
[[nodiscard]] Ranking rank_by_distances(const DistanceBlock& distances, std::int64_t queries,
                                        std::int64_t gallery_size, const RankingOptions& options);

/// Writes FOLDER/matches.csv and FOLDER/matches.json (matches_file.h), with identities when any sample is
/// labeled. Throws as MatchesFiles::write() does.
void write_matches(const std::filesystem::path& folder, const Ranking& ranking,
                   const std::vector<Sample>& query, const std::vector<Sample>& gallery);

}  // namespace kindred::ranking
