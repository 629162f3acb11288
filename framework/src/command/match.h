// Command "match": features on disk -> the best gallery images of each query.
#pragma once

#include <filesystem>

#include "progress/progress.h"
#include "recipe/plan.h"
#include "stage/match.h"
#include "system/ranks.h"

namespace kindred::command {

/// Writes matches.csv and matches.json into the folder, with as many images for each query as the plan says,
/// and all distances when they are asked for. Throws what the stage throws.
/// @param query, gallery .npy files, each with its .csv next to it
/// @param distances .npy file for all distances; empty: not written
/// @param ranks each of which calls this with the same arguments; rank 0 writes
[[nodiscard]] stage::MatchOutcome match(const std::filesystem::path& query,
                                        const std::filesystem::path& gallery, const recipe::RankingPlan& plan,
                                        const std::filesystem::path& folder,
                                        const std::filesystem::path& distances,
                                        progress::ProgressSink& progress,
                                        const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::command
