// How well a ranking finds the same person: mAP, CMC and mINP.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kindred/retrieval.h"
#include "kindred/sample.h"
#include "recipe/settings.h"

namespace kindred {

struct Scores {
  std::int64_t queries = 0;  ///< all
  /// Those with at least one right image in the gallery; the scores are over these.
  std::int64_t valid_queries = 0;
  std::int64_t gallery = 0;      ///< images that are ranked: all but junk
  std::int64_t distractors = 0;  ///< of them, those of nobody that a query shows, unlabelled ones included
  std::int64_t junk = 0;         ///< images left out
  double mean_ap = 0;
  double mean_inp = 0;
  std::map<std::int64_t, double> cmc;  ///< rank (1, 5, 10) -> share of queries with a match within it
  bool cameras_known = false;          ///< gallery images of the query's identity and camera were removed
  std::string note;              ///< what a reader must know: why cameras were not used, what is missing
  std::vector<double> query_ap;  ///< for each query; NaN without a match
};

/// For each query, gallery images of the same identity and camera are removed (when cameras are known), junk
/// (identity -1) is removed, distractors stay. AP is the mean of the precision at the ranks of the right
/// images; ties keep the gallery's order. mINP: Ye et al., TPAMI 2021. Queries that are unlabelled or junk
/// are counted but not judged.
///
/// CameraMode::automatic knows cameras when every query and gallery image of the persons that both sides show
/// has one, and not all the same one; else it is CameraMode::single, and the note says why.
/// CameraMode::known insists on cameras; CameraMode::single ignores them.
///
/// The result does not depend on the number of threads. Memory: one block of distances (64 MB, or one row).
/// Throws DataError when nothing can be evaluated, with the reason and the remedy, and for a distance that is
/// not a number, naming query and gallery image.
/// @param place what errors call the place, such as the file of the queries
[[nodiscard]] Scores evaluate(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                              const DistanceBlock& distances, CameraMode cameras,
                              const std::filesystem::path& place = "evaluation");

/// 1 - cosine similarity of rows, computed block by block. Rows without a direction are a DataError naming
/// the row, and so are widths that differ.
[[nodiscard]] DistanceBlock cosine_distances(torch::Tensor query, torch::Tensor gallery,
                                             const std::string& query_name = "query",
                                             const std::string& gallery_name = "gallery");

/// Two lines for a person.
[[nodiscard]] std::string scores_text(const Scores& scores);
/// For programs, an object with mAP, mINP, rank1, rank5, rank10 (shares in [0, 1]), queries, valid_queries,
/// gallery, distractors, junk, cameras ("known" or "single") and note.
[[nodiscard]] std::string scores_json(const Scores& scores);

}  // namespace kindred
