// Stage "match": descriptors of queries and gallery -> the best gallery images of each query.
#pragma once

#include <cstdint>
#include <filesystem>

#include "progress/progress.h"
#include "ranking/post_processing.h"
#include "recipe/plan.h"
#include "system/ranks.h"

namespace kindred::stage {

struct MatchOutcome {
  std::filesystem::path csv;   ///< FOLDER/matches.csv (matches_file.h)
  std::filesystem::path json;  ///< FOLDER/matches.json
  std::int64_t queries = 0;
  std::int64_t gallery = 0;
  std::int64_t top = 0;  ///< images listed for each query: what was asked for, or the whole gallery
};

/// Ranks by the distances that the plan's post-processors make of the descriptors. Without any it ranks by
/// cosine similarity, and the gallery's descriptors are read piece by piece and may be more than memory
/// holds. Throws DataError as FeatureReader, post_process() and rank_gallery() do, and when an image name
/// stands twice on one side; Error when `top` is below 1.
/// @param ranks here and below, each of which calls this with the same arguments and works on a share of the
///              gallery or of the queries; rank 0 writes, to the same bytes as one process
[[nodiscard]] MatchOutcome match_features(const std::filesystem::path& query_file,
                                          const std::filesystem::path& gallery_file,
                                          const recipe::RankingPlan& plan, std::int64_t top,
                                          const std::filesystem::path& folder, torch::Device device,
                                          progress::ProgressSink& progress,
                                          const system::Ranks& ranks = system::Ranks::alone());

/// The same by the cosine similarity of descriptors that are in memory already.
[[nodiscard]] MatchOutcome match_by_cosine(const ranking::SearchInput& input, std::int64_t top,
                                           const std::filesystem::path& folder,
                                           progress::ProgressSink& progress,
                                           const system::Ranks& ranks = system::Ranks::alone());

/// The same by distances that are there already, of all queries of `input` to its whole gallery.
[[nodiscard]] MatchOutcome match_distances(const ranking::SearchInput& input, const DistanceBlock& distances,
                                           std::int64_t top, const std::filesystem::path& folder,
                                           progress::ProgressSink& progress,
                                           const system::Ranks& ranks = system::Ranks::alone());

/// Writes all distances as .npy, [Q, G], 32-bit floats, atomically.
void write_distances(const std::filesystem::path& file, const ranking::SearchInput& input,
                     const DistanceBlock& distances, progress::ProgressSink& progress,
                     const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::stage
