// How well a ranking finds the same person: mAP, CMC and mINP.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kindred/sample.h"
#include "settings.h"

namespace kindred {

struct Scores {
  std::int64_t queries = 0;  ///< all
  std::int64_t valid_queries =
      0;  ///< with at least one right match in the gallery; the scores are over these
  double mean_ap = 0;
  double mean_inp = 0;
  std::map<std::int64_t, double> cmc;  ///< rank (1, 5, 10) -> share of queries with a match within it
  bool cameras_known = false;          ///< gallery images of the query's identity and camera were removed
  std::string note;              ///< what a reader must know: why cameras were not used, what is missing
  std::vector<double> query_ap;  ///< for each query; NaN without a match
};

/// Fills rows [first, last) of the distances of all queries, [last - first, G], 32-bit floats on the CPU.
using DistanceBlock = std::function<torch::Tensor(std::int64_t first, std::int64_t last)>;

/// For each query, gallery images of the same identity and camera are removed (when cameras are known), junk
/// (identity -1) is removed, distractors stay. AP is the mean of the precision at the ranks of the right
/// images; ties keep the gallery's order. mINP: Ye et al., TPAMI 2021. Throws DataError when nothing can be
/// evaluated, with the reason and the remedy.
[[nodiscard]] Scores evaluate(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                              const DistanceBlock& distances, CameraMode cameras);

/// 1 - cosine similarity of rows, computed block by block. Rows of length 0 are an error naming the row.
[[nodiscard]] DistanceBlock cosine_distances(torch::Tensor query, torch::Tensor gallery);

/// Two lines for a person.
[[nodiscard]] std::string scores_text(const Scores& scores);
/// For programs: mAP, mINP, rank1, rank5, rank10, queries, valid_queries, cameras.
[[nodiscard]] std::string scores_json(const Scores& scores);

}  // namespace kindred
