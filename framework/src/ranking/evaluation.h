// How well a ranking finds the same person: mAP, CMC and mINP; and how well distances tell persons apart.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/search/retrieval.h"
#include "ranking/open_set.h"
#include "recipe/settings.h"
#include "results/query_scores_file.h"

namespace kindred::ranking {

using QueryScore = results::QueryScore;

struct Scores {
  std::int64_t queries = 0;  ///< all
  /// Those with at least one right image in the gallery; the scores are over these.
  std::int64_t valid_queries = 0;
  std::int64_t gallery = 0;      ///< images that are ranked: all but junk
  std::int64_t distractors = 0;  ///< of them, those of nobody that a query shows, unlabelled ones included
  std::int64_t junk = 0;         ///< images left out
  double mean_ap = 0;
  std::int64_t map_depth = 0;  ///< images that AP looks at; 0: all
  double mean_inp = 0;
  std::map<std::int64_t, double> cmc;  ///< rank (1, 5, 10) -> share of queries with a match within it
  bool cameras_known = false;          ///< gallery images of the query's identity and camera were removed
  bool cosine = false;                 ///< distances are 1 - cosine similarity
  bool multi_query = false;            ///< queries of one identity and camera were merged
  OpenSetScores
      open_set;      ///< over the pairs of labelled queries and gallery images, as the gallery is ranked
  std::string note;  ///< what a reader must know: why cameras were not used, what is missing
  std::vector<QueryScore> each;  ///< for each query, in order

  /// (mAP + Rank-1) / 2, by which a competition ranked.
  [[nodiscard]] double score() const { return (mean_ap + cmc.at(1)) / 2; }
};

/// For each query, gallery images of the same identity and camera are removed (when cameras are known), junk
/// (identity -1) is removed, distractors stay. AP is the mean of the precision at the ranks of the right
/// images; ties keep the gallery's order. At a depth k only ranks up to k give a precision, and the mean is
/// over as many right images as could stand there: sum / min(n, k). mINP: Ye et al., TPAMI 2021. Queries that
/// are unlabelled or junk are counted but not judged.
///
/// Open-set figures are over the pairs of labelled queries, also of those without a right image, and what
/// stays of the gallery for each.
///
/// CameraMode::automatic knows cameras when every query and gallery image of the persons that both sides show
/// has one, and not all the same one; else it is CameraMode::single, and the note says why.
/// CameraMode::known insists on cameras; CameraMode::single ignores them.
///
/// The result does not depend on the number of threads. Memory: one block of distances (64 MB, or one row),
/// and what OpenSetCounter takes.
/// Throws DataError when nothing can be evaluated, with the reason and the remedy, and for a distance that is
/// not a number, naming query and gallery image.
/// @param settings multi_query is not looked at: it is the caller who merges (multi_query.h)
/// @param place what errors call the place, such as the file of the queries
[[nodiscard]] Scores evaluate(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                              const DistanceBlock& distances, const recipe::EvaluateSettings& settings,
                              const std::filesystem::path& place = "evaluation");

/// 1 - cosine similarity of rows, computed block by block. Rows without a direction are a DataError naming
/// the row, and so are widths that differ.
[[nodiscard]] DistanceBlock cosine_distances(torch::Tensor query, torch::Tensor gallery,
                                             const std::string& query_name = "query",
                                             const std::string& gallery_name = "gallery");

/// Two lines for a person, and a third with the open-set figures.
[[nodiscard]] std::string scores_text(const Scores& scores);
/// For programs, an object with mAP, mINP, rank1, rank5, rank10 (shares in [0, 1]), map_depth, score,
/// queries, valid_queries, gallery, distractors, junk, cameras ("known" or "single"), multi_query, open_set
/// and note.
[[nodiscard]] std::string scores_json(const Scores& scores);

}  // namespace kindred::ranking
