// Stage "rank": descriptors of queries and gallery -> rankings and, when queries are labeled, scores.
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>

#include "progress/progress.h"
#include "recipe/plan.h"
#include "results/evaluation.h"
#include "stage/match.h"
#include "system/ranks.h"

namespace kindred::stage {

struct RankOutcome {
  MatchOutcome match;
  std::optional<results::Evaluation> scores;  ///< absent when no query is labeled
  /// Without post-processors; absent when the plan has none, too.
  std::optional<results::Evaluation> plain_scores;
};

/// Ranks the gallery of FEATURES/query.npy and gallery.npy by the plan's post-processors, [ranking] top
/// images for each query, and judges the rankings. Writes what match_features() and write_evaluation() write
/// and, with plain scores, evaluation_plain.json into the folder. Reads each file of descriptors once; the
/// whole gallery is held in memory when queries are labeled or there are post-processors. Nothing when
/// `stop` was set. Throws what match_features(), post_process() and evaluate_features() throw.
/// @param ranks each of which calls this with the same arguments; rank 0 writes, to the same bytes as one
///              process
[[nodiscard]] std::optional<RankOutcome> rank(const std::filesystem::path& features,
                                              const recipe::RankingPlan& plan,
                                              const std::filesystem::path& folder, torch::Device device,
                                              progress::ProgressSink& progress, const std::atomic<bool>& stop,
                                              const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::stage
