// Stage "match": descriptors of queries and gallery -> the best gallery images of each query.
#pragma once

#include <cstdint>
#include <filesystem>

#include "progress/progress.h"

namespace kindred {

struct MatchOutcome {
  std::filesystem::path csv;   ///< FOLDER/matches.csv: see write_ranking_csv()
  std::filesystem::path json;  ///< FOLDER/matches.json: see write_ranking_json()
  std::int64_t queries = 0;
  std::int64_t gallery = 0;
  std::int64_t top = 0;  ///< images listed for each query: what was asked for, or the whole gallery
};

/// Ranks by cosine similarity. The gallery's descriptors are read piece by piece and may be more than memory
/// holds. Throws DataError as FeatureReader and rank_gallery() do, and when an image name stands twice on one
/// side; Error when `top` is below 1.
[[nodiscard]] MatchOutcome match_features(const std::filesystem::path& query_file,
                                          const std::filesystem::path& gallery_file, std::int64_t top,
                                          const std::filesystem::path& folder, ProgressSink& progress);

}  // namespace kindred
