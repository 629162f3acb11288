// Stage "evaluate": descriptors of queries and gallery -> scores.
#pragma once

#include <filesystem>
#include <string>

#include "file/feature_files.h"
#include "progress/progress.h"
#include "ranking/evaluation.h"
#include "ranking/post_processing.h"
#include "recipe/plan.h"

namespace kindred::ranking {

/// Ranks the gallery by cosine distance for every query and judges the rankings (evaluation.h). With
/// settings.multi_query the queries are merged before (multi_query.h).
/// @param query_name, gallery_name what errors call the two, such as their files
[[nodiscard]] Scores evaluate_features(const file::Features& query, const file::Features& gallery,
                                       const recipe::EvaluateSettings& settings,
                                       progress::ProgressSink& progress,
                                       const std::string& query_name = "query",
                                       const std::string& gallery_name = "gallery");

/// Judges the rankings that any distances give.
/// @param distances of all queries of `input` to its whole gallery
[[nodiscard]] Scores evaluate_distances(const SearchInput& input, const DistanceBlock& distances,
                                        const recipe::EvaluateSettings& settings,
                                        progress::ProgressSink& progress);

/// The same for descriptors on disk (feature_files.h), by the distances that the plan's post-processors make
/// of them, or else by their cosine distance.
[[nodiscard]] Scores evaluate_features(const std::filesystem::path& query_file,
                                       const std::filesystem::path& gallery_file,
                                       const recipe::RankingPlan& plan, torch::Device device,
                                       progress::ProgressSink& progress);

/// Writes a file of what write_queries_csv() gives, atomically.
void write_query_scores(const std::filesystem::path& file, const Scores& scores);

/// Writes evaluation.json, evaluation.txt, roc.csv and per_query.csv into a folder, each atomically.
void write_scores(const std::filesystem::path& folder, const Scores& scores);

}  // namespace kindred::ranking
