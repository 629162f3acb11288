// Stage "evaluate": descriptors of queries and gallery -> scores.
#pragma once

#include <filesystem>
#include <string>

#include "progress/progress.h"
#include "ranking/evaluation.h"
#include "ranking/post_processing.h"
#include "recipe/plan.h"

namespace kindred {

/// Judges the rankings that distances give (evaluation.h).
/// @param distances of all queries of `input` to its whole gallery
[[nodiscard]] Scores evaluate_distances(const SearchInput& input, const DistanceBlock& distances,
                                        const EvaluateSettings& settings, ProgressSink& progress);

/// The same for descriptors on disk (feature_files.h), by the distances that the plan's post-processors make
/// of them, or else by their cosine distance.
[[nodiscard]] Scores evaluate_features(const std::filesystem::path& query_file,
                                       const std::filesystem::path& gallery_file, const RankingPlan& plan,
                                       torch::Device device, ProgressSink& progress);

/// Writes evaluation.json and evaluation.txt into a folder, each atomically.
void write_scores(const std::filesystem::path& folder, const Scores& scores);

}  // namespace kindred
