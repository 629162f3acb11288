// Judges rankings: which gallery images count for which query, and what the recipe's metrics say of them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/search/retrieval.h"
#include "progress/progress.h"
#include "ranking/judge.h"
#include "ranking/ranking.h"
#include "ranking/same_images.h"
#include "recipe/plan.h"
#include "results/evaluation.h"
#include "system/ranks.h"

namespace kindred::ranking {

/// What distances are.
enum class DistanceScale {
  cosine,  ///< 1 - cosine similarity
  other    ///< whatever a post-processor makes
};

/// For each query, gallery images of the same identity and camera are removed (when cameras are known), and
/// those of its identity that [evaluate] clothes leaves out; junk (identity -1) is removed, and so is the
/// query itself when exclude_same_image; distractors stay. Ties keep the gallery's order. Metrics of ranks
/// see the queries that have a right image; queries that are unlabeled or junk are counted but not judged.
/// Metrics of distances see the pairs of all labeled queries, also of those without a right image, and what
/// stays of the gallery for each (role/metric.h).
///
/// CameraMode::automatic knows cameras when every query and gallery image of the persons that both sides show
/// has one, and not all the same one; else it is CameraMode::single, and the note says why.
/// CameraMode::known insists on cameras; CameraMode::single ignores them.
///
/// With single_gallery_shot = n metrics of ranks see each query n times: each time the gallery has one image
/// of each identity, drawn by a stream that depends on the gallery alone, and of the query's identity one of
/// those that are not removed. Values of a query are means over its draws. In a draw in which the query
/// itself is the image drawn of its identity, it is not judged. Metrics of distances see all pairs once.
///
/// The result does not depend on the number of threads. Memory: one block of distances (64 MB, or one row), 8
/// bytes for each right image of each query, and what counters of pairs take.
/// Throws DataError when nothing can be evaluated, with the reason and the remedy, and for a distance that is
/// not a number, naming query and gallery image; Error when the plan has no metric; what create_metrics() and
/// check_result() throw.
/// @param plan its multi_query is not looked at: it is the caller who merges (multi_query.h)
/// @param place what errors call the place, such as the file of the queries
/// @param same where the queries themselves are in the gallery
/// @param distance_bytes of a block of distances
/// @param ranks each of which calls this with the same arguments and judges some of the queries, if all
///              metrics of distances can be divided (role/metric.h), else all. All have the result
[[nodiscard]] results::Evaluation evaluate(const std::vector<Sample>& query,
                                           const std::vector<Sample>& gallery, const DistanceBlock& distances,
                                           DistanceScale scale, const recipe::EvaluationPlan& plan,
                                           const std::filesystem::path& place = "evaluation",
                                           const SameImages& same = {},
                                           const system::Ranks& ranks = system::Ranks::alone(),
                                           std::int64_t distance_bytes = usual_distance_bytes);

/// The warning that no query has an image of anybody else in its ranking, which is then right whatever the
/// distances are; "" otherwise.
[[nodiscard]] std::string warning_of_nobody_else(const results::Evaluation& evaluation);

/// Notes it, if there is one.
void warn_of_nobody_else(const results::Evaluation& evaluation, progress::ProgressSink& progress);

/// 1 - cosine similarity of rows, computed block by block. Rows without a direction are a DataError naming
/// the row, and so are widths that differ.
/// @param device where products are computed; blocks are on the CPU
[[nodiscard]] DistanceBlock cosine_distances(torch::Tensor query, torch::Tensor gallery,
                                             const std::string& query_name = "query",
                                             const std::string& gallery_name = "gallery",
                                             torch::Device device = torch::kCPU);

/// The same for a gallery that may be more than memory holds: for each block of queries it is read once, in
/// order, in pieces of 16 MB at most, or a row where that is more.
/// @param query [Q, D], which stays in memory
/// @param gallery rows of a gallery of this size and dim
[[nodiscard]] DistanceBlock streamed_cosine_distances(torch::Tensor query, std::int64_t gallery_size,
                                                      std::int64_t gallery_dim, DescriptorBlock gallery,
                                                      const std::string& query_name,
                                                      const std::string& gallery_name,
                                                      torch::Device device = torch::kCPU);

}  // namespace kindred::ranking
