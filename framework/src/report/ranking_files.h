// Scores and rankings of a run, as a report needs them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "report/piece.h"
#include "results/matches_file.h"
#include "results/query_scores_file.h"
#include "results/roc_file.h"

namespace kindred::report {

/// evaluation.json; what is missing there is missing here. Shares are of 1.
struct ScoreFigures {
  std::optional<double> mean_ap;
  std::optional<double> rank1;
  std::optional<double> rank5;
  std::optional<double> rank10;
  std::optional<double> mean_inp;
  std::optional<double> score;
  std::optional<double> map_depth;  ///< images that AP looks at; 0: all
  std::optional<double> queries;
  std::optional<double> valid_queries;
  std::optional<double> gallery;
  std::optional<double> distractors;
  std::optional<double> junk;
  bool cameras_known = false;
  bool multi_query = false;
  std::string note;

  struct Threshold {
    double false_positive_rate = 0;  ///< as it was asked for
    double true_positive_rate = 0;
    double distance = 0;
    std::optional<double> similarity;  ///< only of cosine distances
  };
  std::vector<Threshold> thresholds;
  std::optional<double> area;  ///< under the ROC curve
};

struct RankingFiles {
  Piece<ScoreFigures> scores;
  Piece<ScoreFigures> plain_scores;  ///< by the descriptors alone, when there is any post-processing
  Piece<results::QueryScoresFile> queries;
  Piece<results::RocFile> roc;
  std::filesystem::path matches;  ///< matches.csv; read_matches() reads it
};

/// @param folder with evaluation.json, evaluation_plain.json, per_query.csv and roc.csv
/// @param matches matches.csv
[[nodiscard]] RankingFiles read_ranking_files(const std::filesystem::path& folder,
                                              const std::filesystem::path& matches);

/// The queries of matches.csv, in its order.
[[nodiscard]] Piece<std::vector<std::string>> read_ranked_queries(const std::filesystem::path& matches);

/// What was found for some queries, in their order; for a query that the file does not have, nothing. Of a
/// file that is damaged what stands before the damage is read.
[[nodiscard]] Piece<std::vector<results::QueryMatches>> read_matches(const std::filesystem::path& matches,
                                                                     const std::vector<std::string>& queries);

}  // namespace kindred::report
