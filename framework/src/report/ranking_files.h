// Scores and rankings of a run, as a report needs them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "report/piece.h"

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

/// A line of per_query.csv.
struct JudgedQuery {
  std::string path;
  std::optional<double> ap;  ///< nothing where it was not judged
  std::int64_t first_rank = 0;
  std::int64_t matches = 0;
};

struct RocRates {
  double false_positive_rate = 0;
  double true_positive_rate = 0;
};

struct RankingFiles {
  Piece<ScoreFigures> scores;
  Piece<ScoreFigures> plain_scores;  ///< by the descriptors alone, when there is any post-processing
  Piece<std::vector<JudgedQuery>> queries;
  Piece<std::vector<RocRates>> roc;
  std::filesystem::path matches;  ///< matches.csv; read_rankings() reads it
};

/// @param folder with evaluation.json, evaluation_plain.json, per_query.csv and roc.csv
/// @param matches matches.csv
[[nodiscard]] RankingFiles read_ranking_files(const std::filesystem::path& folder,
                                              const std::filesystem::path& matches);

/// One query of matches.csv and what was found for it, the nearest first.
struct QueryRanking {
  struct Found {
    std::string path;
    double similarity = 0;
    std::optional<std::int64_t> identity;  ///< as matches.csv says
  };
  std::string query;
  std::optional<std::int64_t> identity;
  std::vector<Found> found;
};

/// The queries of matches.csv, in its order.
[[nodiscard]] Piece<std::vector<std::string>> read_ranked_queries(const std::filesystem::path& matches);

/// The rankings of some queries, in their order; a query that the file does not rank has none. Of a file that
/// is damaged the rankings before the damage are read.
[[nodiscard]] Piece<std::vector<QueryRanking>> read_rankings(const std::filesystem::path& matches,
                                                             const std::vector<std::string>& queries);

/// What the CSV files beside descriptors say of each image, by its path. Throws DataError.
void add_images(const std::filesystem::path& csv, std::map<std::string, Sample, std::less<>>& images);

}  // namespace kindred::report
