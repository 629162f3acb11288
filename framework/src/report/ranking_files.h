// Scores and rankings of a run, as a report needs them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/metric.h"
#include "report/piece.h"
#include "results/evaluation.h"

namespace kindred::report {

struct RankingFiles {
  Piece<results::Evaluation> scores;
  Piece<results::Evaluation> plain_scores;  ///< by the descriptors alone, when there is any post-processing
  Piece<results::QueryTable> queries;
  std::vector<Piece<MetricTable>> curves;  ///< of `scores`, those whose file is there
  std::filesystem::path matches;           ///< matches.csv; read_rankings() reads it
};

/// @param folder with evaluation.json, evaluation_plain.json, per_query.csv and curves
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
