// Descriptors of queries and gallery -> figures.
#pragma once

#include <filesystem>
#include <string>

#include "file/feature_files.h"
#include "progress/progress.h"
#include "ranking/post_processing.h"
#include "recipe/plan.h"
#include "results/evaluation.h"
#include "system/ranks.h"

namespace kindred::ranking {

/// Ranks the gallery by cosine distance for every query and judges the rankings (evaluation.h). With
/// [evaluate] multi_query the queries are merged before (multi_query.h).
/// @param query_name, gallery_name what errors call the two, such as their files
/// @param device where products of descriptors are computed
/// @param ranks here and below, each of which calls this with the same arguments: as evaluate() has it
[[nodiscard]] results::Evaluation evaluate_features(
    const file::Features& query, const file::Features& gallery, const recipe::EvaluationPlan& plan,
    progress::ProgressSink& progress, const std::string& query_name = "query",
    const std::string& gallery_name = "gallery", torch::Device device = torch::kCPU,
    const system::Ranks& ranks = system::Ranks::alone());

/// Judges the rankings that any distances give.
/// @param distances of all queries of `input` to its whole gallery
[[nodiscard]] results::Evaluation evaluate_distances(const SearchInput& input, const DistanceBlock& distances,
                                                     const recipe::EvaluationPlan& plan,
                                                     progress::ProgressSink& progress,
                                                     const system::Ranks& ranks = system::Ranks::alone());

/// Judges a search by the distances that the plan's post-processors make of its descriptors, or else by their
/// cosine distance. With post-processors the descriptors are taken over.
[[nodiscard]] results::Evaluation evaluate_search(SearchInput input, const recipe::RankingPlan& plan,
                                                  torch::Device device, progress::ProgressSink& progress,
                                                  const system::Ranks& ranks = system::Ranks::alone());

/// The same for descriptors on disk (feature_files.h). Without post-processors, a gallery of several arrays
/// is read piece by piece and may be more than memory holds; the distances in memory are then 1 GiB at most,
/// or those of a query.
[[nodiscard]] results::Evaluation evaluate_features(const std::filesystem::path& query_file,
                                                    const std::filesystem::path& gallery_file,
                                                    const recipe::RankingPlan& plan, torch::Device device,
                                                    progress::ProgressSink& progress,
                                                    const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::ranking
